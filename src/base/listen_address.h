#pragma once

#include <string>

#include "base/status.h"

namespace shopstream {

// Where a server listens: "127.0.0.1:8082", "localhost:0" or "[::1]:8082".
struct ListenAddress {
  std::string host;  // Without brackets.
  int port = 0;      // 0: any free port.
};

Result<ListenAddress> ParseListenAddress(const std::string& text);

}  // namespace shopstream
