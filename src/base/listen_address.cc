#include "base/listen_address.h"

#include <charconv>

namespace shopstream {

Result<ListenAddress> ParseListenAddress(const std::string& text) {
  const auto wrong = [&] {
    return Status::Invalid("'", text, "' is not an address: write host:port, e.g. 127.0.0.1:8082");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong();
  ListenAddress address{text.substr(0, colon), 0};
  const char* first = text.data() + colon + 1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, address.port);
  if (error != std::errc() || end != last || address.port < 0 || address.port > 65535)
    return wrong();
  if (address.host.front() == '[') {
    if (address.host.back() != ']') return wrong();
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.find(':') != std::string::npos) {
    return wrong();
  }
  return address;
}

bool IsThisMachine(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace shopstream
