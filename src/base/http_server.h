#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream {

struct HttpRequest {
  std::string method, path;           // path without the query
  std::vector<std::string> captures;  // groups of the route's pattern
  std::string body, content_type;
  std::function<std::string(const std::string& name)> query;  // "" where absent
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

struct HttpServerOptions {
  std::string listen;         // host:port; port 0 takes any free one
  int next_ports_to_try = 0;  // for metrics: a taken port means the next one
  int threads = 4;
  int64_t max_body_bytes = 16 << 20;
};

// A server on its own threads, from Start until Stop or destruction. Handlers run concurrently.
class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options);
  ~HttpServer();
  void Route(const std::string& method, const std::string& pattern, HttpHandler handler);
  // Called for a path or method without a route, and for a body over the bound.
  void OnError(std::function<HttpReply(int status, const HttpRequest&)> handler);
  Status Start();  // A taken port is IOError with the port and the remedy.
  void Stop();
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream
