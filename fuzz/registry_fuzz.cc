// input := "METHOD TARGET\n" *( "Name: value\n" ) "\n" body, passed to the registry's API as by
// the HTTP server; several requests, split by 0x1E, go to the same registry.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/http_query.h"
#include "base/json.h"
#include "fuzz_target.h"
#include "registry/handlers.h"
#include "simulate/schema_log.h"

namespace {

using shopstream::HttpReply;
using shopstream::HttpRequest;

constexpr char kNextRequest = 0x1E;
constexpr int kMostRequests = 8;

std::string_view TakeUntil(char end, std::string_view* text) {
  const std::string_view taken = text->substr(0, text->find(end));
  text->remove_prefix(std::min(taken.size() + 1, text->size()));
  return taken;
}

HttpRequest ToRequest(std::string_view text) {
  std::string_view line = TakeUntil('\n', &text);
  HttpRequest request;
  request.method = TakeUntil(' ', &line);
  request.raw_path = TakeUntil('?', &line);
  request.path = shopstream::PercentDecode(request.raw_path);
  std::map<std::string, std::string> headers;
  while (!text.empty()) {
    std::string_view header = TakeUntil('\n', &text);
    if (header.empty()) break;
    const std::string name(TakeUntil(':', &header));
    headers[name] = header.substr(std::min<size_t>(1, header.size()));
  }
  request.content_type = headers["Content-Type"];
  request.raw_query = line;
  request.header = [headers](const std::string& name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  };
  request.body = text;
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  shopstream::simulate::SchemaLog store;
  const shopstream::registry::Api api(store);
  for (int i = 0; i < kMostRequests && !text.empty(); ++i) {
    HttpRequest request = ToRequest(TakeUntil(kNextRequest, &text));
    FUZZ_CHECK(!api.Gate(request).has_value());
    const HttpReply reply = api.Handle(request);
    FUZZ_CHECK(reply.status >= 200 && reply.status < 600);
    // A bare schema is sent as stored, and a PROTOBUF schema is not JSON.
    FUZZ_CHECK(request.raw_path.ends_with("schema") || nlohmann::json::accept(reply.body));
    // A log that returns what was written never fails.
    FUZZ_CHECK(reply.status != 500);
  }
  return 0;
}
