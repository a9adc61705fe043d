#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream {

struct HttpRequest {
  std::string method, path;           // path decoded, without the query
  std::vector<std::string> captures;  // groups of the route's pattern
  std::string body, content_type;
  std::function<std::string(const std::string& name)> query;   // decoded; "" if absent
  std::function<std::string(const std::string& name)> header;  // "" if absent
  std::string raw_path;                                        // as sent, without the query
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};  // additional ones
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

struct HttpServerOptions {
  std::string listen;         // host:port; port 0 takes any free port
  int next_ports_to_try = 0;  // for metrics: how many ports to try if one is taken
  // Handlers run on these and block them; waiting connections use none.
  int threads = 4;
  int64_t max_body_bytes = 16 << 20;
  // PEM files; both or none. If set, the server accepts HTTPS only.
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
