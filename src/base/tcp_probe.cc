#include "base/tcp_probe.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error_kind.h"

namespace shopstream {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// 0, or the errno of the attempt.
int Connect(const addrinfo& address, Millis timeout) {
  const Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return errno;
  if (connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd writable{socket.fd(), POLLOUT, 0};
  const int ready = poll(&writable, 1, static_cast<int>(timeout.count()));
  if (ready == 0) return ETIMEDOUT;
  if (ready < 0) return errno;
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

Status ProbeTcp(const std::string& host, int port, Millis timeout) {
  const std::string where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int look_up = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (look_up != 0) return Unavailable(where, ": ", gai_strerror(look_up));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  const BootClock::time_point deadline = BootClock::now() + timeout;
  int error = EADDRNOTAVAIL;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const auto left = std::chrono::duration_cast<Millis>(deadline - BootClock::now());
    if (left.count() <= 0) break;
    error = Connect(*address, left);
    if (error == 0) return Status::OK();
  }
  return Unavailable(where, ": ", std::strerror(error));
}

}  // namespace shopstream
