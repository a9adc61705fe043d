#include "base/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "base/listen_address.h"
#include "base/log.h"

namespace shopstream {
namespace {

constexpr int kReadTimeoutSeconds = 5;
constexpr int kWriteTimeoutSeconds = 5;
// An idle connection holds one of few threads: short, so that others do not wait for long.
constexpr int kIdleTimeoutSeconds = 1;
constexpr size_t kRequestsPerConnection = 1000;

HttpRequest ToRequest(const httplib::Request& from) {
  HttpRequest request{from.method, from.path, {}, from.body, from.get_header_value("Content-Type"),
                      {}};
  for (size_t i = 1; i < from.matches.size(); ++i) request.captures.push_back(from.matches[i]);
  request.query = [&from](const std::string& name) { return from.get_param_value(name); };
  return request;
}

void Answer(const HttpReply& reply, httplib::Response* response) {
  response->status = reply.status;
  response->set_content(reply.body, reply.content_type.c_str());
}

HttpReply PlainError(int status, const HttpRequest& request) {
  return {status,
          "{\"error\":\"" + std::to_string(status) + " for this " + request.method + "\"}\n"};
}

// Without SO_REUSEPORT, which the library sets by default and which would let two servers share a
// port in silence.
void SetListenOptions(int listener) {
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

struct HttpServer::Impl {
  explicit Impl(HttpServerOptions given) : options(std::move(given)) {}

  void Configure();
  Status Bind();

  HttpServerOptions options;
  httplib::Server server;
  std::function<HttpReply(int, const HttpRequest&)> on_error = PlainError;
  std::thread acceptor;
  int port = 0;
};

void HttpServer::Impl::Configure() {
  const auto threads = static_cast<size_t>(options.threads);
  server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  server.set_socket_options(SetListenOptions);
  server.set_tcp_nodelay(true);
  server.set_payload_max_length(static_cast<size_t>(options.max_body_bytes));
  server.set_read_timeout(kReadTimeoutSeconds);
  server.set_write_timeout(kWriteTimeoutSeconds);
  server.set_keep_alive_timeout(kIdleTimeoutSeconds);
  server.set_keep_alive_max_count(kRequestsPerConnection);
  const httplib::Server::HandlerWithResponse refuse = [this](const httplib::Request& request,
                                                             httplib::Response& response) {
    // Also called for a handler's own reply of 400 and above; that one stands.
    if (!response.body.empty()) return httplib::Server::HandlerResponse::Unhandled;
    Answer(on_error(response.status, ToRequest(request)), &response);
    return httplib::Server::HandlerResponse::Handled;
  };
  server.set_error_handler(refuse);
  server.set_exception_handler(
      [](const httplib::Request& request, httplib::Response& response, std::exception_ptr thrown) {
        std::string what = "unknown exception";
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& e) {
          what = e.what();
        } catch (...) {
        }
        Log::Error("{} {}: the handler failed: {}", request.method, request.path, what);
        response.status = 500;
      });
}

Status HttpServer::Impl::Bind() {
  ARROW_ASSIGN_OR_RAISE(const ListenAddress address, ParseListenAddress(options.listen));
  if (address.port == 0) {
    port = server.bind_to_any_port(address.host);
    if (port > 0) return Status::OK();
    return Status::IOError("cannot listen on ", options.listen, ": ", std::strerror(errno));
  }
  const int last = std::min(address.port + options.next_ports_to_try, 65535);
  for (port = address.port; port <= last; ++port) {
    errno = 0;
    if (server.bind_to_port(address.host, port)) return Status::OK();
    if (errno != EADDRINUSE) break;
  }
  const std::string reason = errno == 0 ? "the host name is not known" : std::strerror(errno);
  return Status::IOError("cannot listen on ", options.listen,
                         last > address.port ? " or the ports up to " + std::to_string(last) : "",
                         ": ", reason, "; end what listens there, or choose another address");
}

HttpServer::HttpServer(HttpServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpServer::~HttpServer() { Stop(); }

void HttpServer::Route(const std::string& method, const std::string& pattern, HttpHandler handler) {
  auto adapted = [handler = std::move(handler)](const httplib::Request& request,
                                                httplib::Response& response) {
    Answer(handler(ToRequest(request)), &response);
  };
  if (method == "GET") {
    impl_->server.Get(pattern, adapted);
  } else if (method == "POST") {
    impl_->server.Post(pattern, adapted);
  } else if (method == "PUT") {
    impl_->server.Put(pattern, adapted);
  } else if (method == "DELETE") {
    impl_->server.Delete(pattern, adapted);
  } else {
    Status::NotImplemented("route with method ", method).Abort();
  }
}

void HttpServer::OnError(std::function<HttpReply(int status, const HttpRequest&)> handler) {
  impl_->on_error = std::move(handler);
}

Status HttpServer::Start() {
  impl_->Configure();
  ARROW_RETURN_NOT_OK(impl_->Bind());
  impl_->acceptor = std::thread([this] { impl_->server.listen_after_bind(); });
  // The library's stop() is lost on a server that does not run yet.
  while (!impl_->server.is_running()) std::this_thread::yield();
  return Status::OK();
}

void HttpServer::Stop() {
  if (!impl_->acceptor.joinable()) return;
  impl_->server.stop();
  impl_->acceptor.join();
}

int HttpServer::port() const { return impl_->port; }

}  // namespace shopstream
