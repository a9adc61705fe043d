#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shopstream {

class HttpStream;  // base/http_stream.h

struct HttpRequest {
  std::string method, path;           // path decoded, without the query
  std::vector<std::string> captures;  // matches of the route's placeholders
  std::string body, content_type;
  std::function<std::string(const std::string& name)> header;  // "" if absent
  std::string raw_path, raw_query;                             // as sent
  std::string remote;                                          // The client's IP address.

  // The decoded value of a name in raw_query; "" if absent.
  std::string query(std::string_view name) const;
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};  // additional ones
  // Produces the rest of a body that is too long for memory or that grows. Called once per piece,
  // after the client has received the previous one, until it returns nothing. It may block its
  // thread, but not for long: Stop() waits for it.
  std::function<std::optional<std::string>()> next_piece{};
  // Whoever has it pushes the rest of the body, which has no end. The connection is closed when the
  // stream is, and the stream when the client is gone.
  std::shared_ptr<HttpStream> stream{};
};

// The handler owns the request and may modify it.
using HttpHandler = std::function<HttpReply(HttpRequest&)>;

}  // namespace shopstream
