#pragma once

#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream {

// OK where something accepts a TCP connection at host:port; otherwise IOError naming the address
// and the reason. The look-up of a host name is bounded by the system's resolver, all else by
// `timeout`.
Status ProbeTcp(const std::string& host, int port, Millis timeout);

}  // namespace shopstream
