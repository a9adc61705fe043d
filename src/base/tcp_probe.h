#pragma once

#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream {

// OK if host:port accepts a TCP connection; otherwise IOError naming the address and the
// reason. The system's resolver bounds the look-up of a host name; `timeout` bounds everything
// else.
Status ProbeTcp(const std::string& host, int port, Millis timeout);

}  // namespace shopstream
