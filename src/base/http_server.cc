#include "base/http_server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>

#include "base/error_kind.h"
#include "base/http_query.h"
#include "base/http_router.h"
#include "base/listen_address.h"
#include "base/log.h"

namespace shopstream {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Error = beast::error_code;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr uint32_t kMaxHeadBytes = 16 << 10;
constexpr size_t kMaxPathBytes = 8 << 10;
// What a refused client may still send, unheard, so that it gets to read why it was refused.
constexpr size_t kMaxDrainBytes = size_t{256} << 20;
constexpr Millis kDrainTimeout{10000};
constexpr int kListenBacklog = 512;

HttpReply PlainError(int status, const HttpRequest& request) {
  return {status,
          "{\"error\":\"" + std::to_string(status) + " for this " + request.method + "\"}\n",
          "application/json",
          {},
          {}};
}

struct HandlerRoute {
  std::string method, pattern;
  HttpHandler handler;
};

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpServer::Impl {
  explicit Impl(HttpServerOptions given) : options(std::move(given)) {}

  Status LoadCertificate();
  Status Bind();
  Status BindTo(const std::string& host, int to_port);
  void Accept();
  HttpReply Dispatch(HttpRequest& request) const;

  HttpServerOptions options;
  std::vector<HandlerRoute> routes;
  std::function<std::optional<HttpReply>(const HttpRequest&)> gate;
  HttpHandler otherwise;
  std::function<HttpReply(int, const HttpRequest&)> on_error = PlainError;
  std::optional<asio::ssl::context> tls;
  std::atomic<int> connections{0};
  int port = 0;
  // Both from Start to Stop. With the context go the connections that wait in it.
  std::optional<asio::io_context> context;
  std::optional<Tcp::acceptor> acceptor;
  std::vector<std::thread> threads;
};

namespace {

// One connection, on a strand of its own: a chain of "read a head, read a body, answer". Kept alive
// by the operation that is under way; closed with the last of them.
template <typename Stream>
class Connection : public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Stream stream, HttpServer::Impl* server)
      : stream_(std::move(stream)), server_(server) {}
  ~Connection() { --server_->connections; }

  void Start() {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      if constexpr (std::is_same_v<Stream, TlsStream>) {
        self->Tcp().expires_after(self->server_->options.head_timeout);
        self->stream_.async_handshake(asio::ssl::stream_base::server, [self](Error error) {
          if (!error) self->ReadHead();
        });
      } else {
        self->ReadHead();
      }
    });
  }

 private:
  beast::tcp_stream& Tcp() { return beast::get_lowest_layer(stream_); }

  void ReadHead() {
    parser_.emplace();
    parser_->header_limit(kMaxHeadBytes);
    parser_->body_limit(static_cast<uint64_t>(server_->options.max_body_bytes));
    request_ = {};
    Tcp().expires_after(server_->options.head_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](Error error, size_t) { self->OnHead(error); });
  }

  void OnHead(Error error) {
    if (parser_->got_some()) FillHead();
    if (error) return Refuse(error);
    if (request_.raw_path.size() > kMaxPathBytes) {
      return Write(server_->on_error(414, request_), false);
    }
    if (server_->gate != nullptr) {
      if (auto reply = Guard([&] { return server_->gate(request_); })) {
        return Write(std::move(*reply), parser_->is_done() && parser_->get().keep_alive());
      }
    }
    if (parser_->is_done()) return OnBody({});
    const auto expect = parser_->get()[http::field::expect];
    if (!beast::iequals(expect, "100-continue")) return ReadBody();
    auto go_on = std::make_shared<http::response<http::empty_body>>(http::status::continue_, 11);
    http::async_write(stream_, *go_on,
                      [self = this->shared_from_this(), go_on](Error failed, size_t) {
                        if (!failed) self->ReadBody();
                      });
  }

  void ReadBody() {
    Tcp().expires_after(server_->options.body_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](Error error, size_t) { self->OnBody(error); });
  }

  void OnBody(Error error) {
    if (error) return Refuse(error);
    request_.body = std::move(parser_->get().body());
    HttpReply reply = *Guard([&] { return std::optional(server_->Dispatch(request_)); });
    Write(std::move(reply), parser_->get().keep_alive());
  }

  // An exception of a handler ends here.
  std::optional<HttpReply> Guard(const std::function<std::optional<HttpReply>()>& handle) {
    std::string what = "unknown exception";
    try {
      return handle();
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
    }
    Log::Error("{} {}: the handler failed: {}", request_.method, request_.path, what);
    return server_->on_error(500, request_);
  }

  void Refuse(Error error) {
    if (error == http::error::body_limit) return Write(server_->on_error(413, request_), false);
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Write(server_->on_error(431, request_), false);
    }
    const bool cut_off = error == beast::error::timeout || error == http::error::end_of_stream ||
                         error == http::error::partial_message ||
                         error.category() != http::make_error_code(http::error{}).category();
    if (cut_off) return Close();
    Write(server_->on_error(400, request_), false);
  }

  void FillHead() {
    const auto& head = parser_->get();
    request_.method = std::string(View(head.method_string()));
    const std::string target(View(head.target()));
    const size_t mark = target.find('?');
    request_.raw_path = target.substr(0, mark);
    request_.path = PercentDecode(request_.raw_path);
    request_.content_type = std::string(View(head[http::field::content_type]));
    request_.query = [query = mark == std::string::npos ? "" : target.substr(mark + 1)](
                         const std::string& name) { return QueryValue(query, name); };
    request_.header = [this](const std::string& name) {
      return std::string(View(parser_->get()[name]));
    };
  }

  void Write(HttpReply reply, bool keep) {
    response_ = {};
    response_.result(static_cast<unsigned>(reply.status));
    response_.set(http::field::content_type, reply.content_type);
    for (const auto& [name, value] : reply.headers) response_.set(name, value);
    Tcp().expires_after(server_->options.write_timeout);
    if (reply.next_piece != nullptr) return WriteInPieces(std::move(reply), keep);
    response_.keep_alive(keep);
    response_.content_length(reply.body.size());
    if (request_.method != "HEAD") response_.body() = std::move(reply.body);
    http::async_write(stream_, response_,
                      [self = this->shared_from_this(), keep](Error error, size_t) {
                        if (error) return self->Close();
                        self->Finish(keep);
                      });
  }

  void Finish(bool keep) { keep ? ReadHead() : EndWriting(); }

  // Chunked. HTTP/1.0 has no chunks, so there the end of the connection ends the body.
  void WriteInPieces(HttpReply reply, bool keep) {
    chunked_ = parser_->get().version() >= 11;
    keep = keep && chunked_;
    response_.keep_alive(keep);
    response_.chunked(chunked_);
    next_piece_ = std::move(reply.next_piece);
    piece_ = std::move(reply.body);
    head_.emplace(response_);
    http::async_write_header(stream_, *head_,
                             [self = this->shared_from_this(), keep](Error error, size_t) {
                               if (error) return self->Close();
                               if (self->request_.method == "HEAD") {
                                 self->next_piece_ = nullptr;
                                 self->piece_.clear();
                                 return self->Finish(keep);
                               }
                               self->WritePiece(keep);
                             });
  }

  // The piece that is ready, then the next ones. An empty chunk would end the body.
  void WritePiece(bool keep) {
    if (piece_.empty()) {
      std::optional<std::string> next;
      const bool produced = !Guard([&] {
        next = next_piece_();
        return std::optional<HttpReply>();
      });
      if (!produced) return Close();  // The status is sent: a cut connection is the error.
      if (!next.has_value()) return WriteEnd(keep);
      piece_ = *std::move(next);
      if (piece_.empty()) {  // Through the queue, so that others run and Stop() takes effect.
        return asio::post(stream_.get_executor(),
                          [self = this->shared_from_this(), keep] { self->WritePiece(keep); });
      }
    }
    Tcp().expires_after(server_->options.write_timeout);
    const auto written = [self = this->shared_from_this(), keep](Error error, size_t) {
      if (error) return self->Close();
      self->piece_.clear();
      self->WritePiece(keep);
    };
    chunked_ ? asio::async_write(stream_, http::make_chunk(asio::buffer(piece_)), written)
             : asio::async_write(stream_, asio::buffer(piece_), written);
  }

  void WriteEnd(bool keep) {
    next_piece_ = nullptr;
    if (!chunked_) return Finish(keep);
    Tcp().expires_after(server_->options.write_timeout);
    asio::async_write(stream_, http::make_chunk_last(),
                      [self = this->shared_from_this(), keep](Error error, size_t) {
                        if (error) return self->Close();
                        self->Finish(keep);
                      });
  }

  // Closing while the client still sends would make its system throw our answer away.
  void EndWriting() {
    Error ignored;
    Tcp().socket().shutdown(Tcp::socket::shutdown_send, ignored);
    Tcp().expires_after(kDrainTimeout);
    Drain();
  }

  void Drain() {
    scratch_.resize(64 << 10);
    Tcp().async_read_some(asio::buffer(scratch_),
                          [self = this->shared_from_this()](Error error, size_t size) {
                            self->drained_ += size;
                            if (!error && self->drained_ < kMaxDrainBytes) return self->Drain();
                            self->Close();
                          });
  }

  void Close() { Tcp().close(); }

  Stream stream_;
  HttpServer::Impl* server_;
  beast::flat_buffer buffer_{kMaxHeadBytes + (64 << 10)};
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  http::response<http::string_body> response_;
  // A reply in pieces: its head, the piece that is being sent, and those to come.
  std::optional<http::response_serializer<http::string_body>> head_;
  std::string piece_;
  std::function<std::optional<std::string>()> next_piece_;
  bool chunked_ = false;
  std::string scratch_;
  size_t drained_ = 0;
};

}  // namespace

HttpReply HttpServer::Impl::Dispatch(HttpRequest& request) const {
  auto match = FindRoute(routes, request);
  if (match.route != nullptr) {
    request.captures = std::move(match.captures);
    return match.route->handler(request);
  }
  return otherwise != nullptr ? otherwise(request) : on_error(404, request);
}

Status HttpServer::Impl::LoadCertificate() {
  if (options.tls_certificate.empty() && options.tls_key.empty()) return Status::OK();
  tls.emplace(asio::ssl::context::tls_server);
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                   asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                   asio::ssl::context::no_tlsv1_1);
  Error error;
  tls->use_certificate_chain_file(options.tls_certificate, error);
  if (error) {
    return Status::Invalid("TLS certificate '", options.tls_certificate, "': ", error.message(),
                           ": name a PEM file with the certificate and its chain");
  }
  tls->use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error) {
    return Status::Invalid("TLS key '", options.tls_key, "': ", error.message(),
                           ": name the PEM file with the certificate's private key");
  }
  return Status::OK();
}

// The errors of the system come back with errno set.
Status HttpServer::Impl::BindTo(const std::string& host, int to_port) {
  Error error;
  Tcp::resolver resolver(*context);
  const auto found =
      resolver.resolve(host, std::to_string(to_port),
                       Tcp::resolver::passive | Tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    errno = 0;
    return Unavailable("the host name is not known");
  }
  const Tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor.emplace(*context);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(kListenBacklog, error);
  if (error) {
    errno = error.value();
    return Unavailable(std::strerror(error.value()));
  }
  port = acceptor->local_endpoint(error).port();
  return Status::OK();
}

Status HttpServer::Impl::Bind() {
  ARROW_ASSIGN_OR_RAISE(const ListenAddress address, ParseListenAddress(options.listen));
  const int last =
      address.port == 0 ? 0 : std::min(address.port + options.next_ports_to_try, 65535);
  Status bound;
  for (int to_port = address.port; to_port <= last; ++to_port) {
    bound = BindTo(address.host, to_port);
    if (bound.ok()) return bound;
    if (errno != EADDRINUSE) break;
  }
  return Unavailable("cannot listen on ", options.listen,
                     last > address.port ? " or the ports up to " + std::to_string(last) : "", ": ",
                     bound.message(),
                     "; stop the program that listens there, or choose another address");
}

void HttpServer::Impl::Accept() {
  acceptor->async_accept(asio::make_strand(*context), [this](Error error, Tcp::socket socket) {
    // Without descriptors to spare accepting fails at once, again and again.
    if (error) std::this_thread::sleep_for(Millis{10});
    if (!error && connections < options.max_connections) {
      ++connections;
      Error ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      if (tls.has_value()) {
        std::make_shared<Connection<TlsStream>>(TlsStream(std::move(socket), *tls), this)->Start();
      } else {
        std::make_shared<Connection<PlainStream>>(PlainStream(std::move(socket)), this)->Start();
      }
    }
    Accept();
  });
}

HttpServer::HttpServer(HttpServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpServer::~HttpServer() { Stop(); }

void HttpServer::Route(const std::string& method, const std::string& pattern, HttpHandler handler) {
  impl_->routes.push_back({method, pattern, std::move(handler)});
}

void HttpServer::Before(std::function<std::optional<HttpReply>(const HttpRequest& head)> gate) {
  impl_->gate = std::move(gate);
}

void HttpServer::Otherwise(HttpHandler handler) { impl_->otherwise = std::move(handler); }

void HttpServer::OnError(std::function<HttpReply(int status, const HttpRequest&)> handler) {
  impl_->on_error = std::move(handler);
}

Status HttpServer::Start() {
  impl_->context.emplace();
  ARROW_RETURN_NOT_OK(impl_->LoadCertificate());
  ARROW_RETURN_NOT_OK(impl_->Bind());
  impl_->Accept();
  for (int i = 0; i < impl_->options.threads; ++i) {
    impl_->threads.emplace_back([this] { impl_->context->run(); });
  }
  return Status::OK();
}

void HttpServer::Stop() {
  if (!impl_->context.has_value()) return;
  impl_->context->stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  impl_->acceptor.reset();
  impl_->context.reset();
}

int HttpServer::port() const { return impl_->port; }

}  // namespace shopstream
