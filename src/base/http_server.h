#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/http_message.h"  // IWYU pragma: export
#include "base/status.h"

namespace shopstream {

struct HttpServerOptions {
  std::string listen;         // host:port; port 0 takes any free port
  int next_ports_to_try = 0;  // for metrics: how many ports to try if one is taken
  // Handlers run on these and block them; waiting connections use none.
  int threads = 4;
  int64_t max_body_bytes = 16 << 20;
  // PEM files; both or none. With them: HTTPS only. Replaced files serve new connections.
  std::string tls_certificate{}, tls_key{};
  // A client that has not sent its whole head, or then its whole body, in time is disconnected.
  Millis head_timeout{20000};
  Millis body_timeout{30000};
  Millis write_timeout{30000};  // For a client to receive its answer.
  int max_connections = 1000;   // Further ones are closed immediately.
};

// A server on its own threads, from Start until Stop or destruction. Handlers run concurrently.
class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options);
  ~HttpServer();
  // Patterns as in base/http_router.h, e.g. "/subjects/*/versions". The first matching route is
  // used.
  void Route(const std::string& method, const std::string& pattern, HttpHandler handler);
  // `gate` is called with the head of every request before its body is read. If it returns a reply,
  // that is sent and the body is never read.
  void Before(std::function<std::optional<HttpReply>(const HttpRequest& head)> gate);
  // Handles requests that no route matches.
  void Otherwise(HttpHandler handler);
  // Called for a path or method without a route, for a body above the bound, and for input that is
  // not HTTP.
  void OnError(std::function<HttpReply(int status, const HttpRequest&)> handler);
  // IOError: the port is taken; names the port and the remedy. Invalid: a bad certificate.
  Status Start();
  void Stop();
  int port() const;

  struct Impl;  // Known to connections.

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream
