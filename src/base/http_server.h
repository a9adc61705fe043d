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
  std::function<std::string(const std::string& name)> query;   // decoded; "" where absent
  std::function<std::string(const std::string& name)> header;  // "" where absent
  std::string raw_path;                                        // as it was sent, without the query
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};  // further ones
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

struct HttpServerOptions {
  std::string listen;         // host:port; port 0 takes any free one
  int next_ports_to_try = 0;  // for metrics: a taken port means the next one
  // Handlers run on these, and block them; waiting connections need none.
  int threads = 4;
  int64_t max_body_bytes = 16 << 20;
  // PEM files; both or none. With them the server speaks HTTPS only.
  std::string tls_certificate{}, tls_key{};
  // A client that has not sent the whole of its head, or then of its body, by then is cut off.
  Millis head_timeout{20000};
  Millis body_timeout{30000};
  Millis write_timeout{30000};  // For a client to take its answer.
  int max_connections = 1000;   // Further ones are closed at once.
};

// A server on its own threads, from Start until Stop or destruction. Handlers run concurrently.
class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options);
  ~HttpServer();
  void Route(const std::string& method, const std::string& pattern, HttpHandler handler);
  // Asked with the head of every request, before its body is read; an answer is the reply, and the
  // body is never read.
  void Before(std::function<std::optional<HttpReply>(const HttpRequest& head)> gate);
  // Serves what no route does.
  void Otherwise(HttpHandler handler);
  // Called for a path or method without a route, for a body over the bound, and for what is no
  // HTTP.
  void OnError(std::function<HttpReply(int status, const HttpRequest&)> handler);
  // A taken port is IOError with the port and the remedy; a bad certificate is Invalid.
  Status Start();
  void Stop();
  int port() const;

  struct Impl;  // Connections know it.

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream
