#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream {

// Where a server listens: "127.0.0.1:8082", "localhost:0" or "[::1]:8082".
struct ListenAddress {
  std::string host;  // Without brackets.
  int port = 0;      // 0: any free port.
};

Result<ListenAddress> ParseListenAddress(const std::string& text);

// Whether a host is this machine, by its name or address alone: localhost, 127.0.0.0/8, ::1.
bool IsThisMachine(std::string_view host);

}  // namespace shopstream
