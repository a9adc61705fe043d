#include "base/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "base/error_kind.h"
#include "base/http_certificate.h"
#include "base/http_query.h"
#include "base/http_router.h"
#include "base/http_stream.h"
#include "base/http_wire.h"
#include "base/listen_address.h"
#include "base/log.h"

namespace shopstream {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Error = beast::error_code;

constexpr uint32_t kMaxHeadBytes = 16 << 10;
constexpr size_t kMaxPathBytes = 8 << 10;
constexpr size_t kReadBytes = 64 << 10;
// After a refusal, bytes to read and discard so that the client can finish sending and then read
// the reason.
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

  Status Bind();
  Status BindTo(const std::string& host, int to_port);
  void Accept();
  HttpReply Dispatch(HttpRequest& request) const;

  HttpServerOptions options;
  std::vector<HandlerRoute> routes;
  std::function<std::optional<HttpReply>(const HttpRequest&)> gate;
  HttpHandler otherwise;
  std::function<HttpReply(int, const HttpRequest&)> on_error = PlainError;
  std::optional<HttpCertificate> certificate;  // After Start, only Accept uses it.
  std::atomic<int> connections{0};
  int port = 0;
  // Both exist from Start to Stop. Destroying the context closes the connections waiting in it.
  std::optional<asio::io_context> context;
  std::optional<Tcp::acceptor> acceptor;
  std::vector<std::thread> threads;
  StreamSet streams;
};

namespace {

// One connection, on a strand: a chain of "read a head, read a body, answer". The pending operation
// keeps it alive; the connection closes when the last one completes.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<Wire> wire, HttpServer::Impl* server)
      : wire_(std::move(wire)), server_(server) {}
  ~Connection() { --server_->connections; }

  void Start() {
    asio::post(wire_->Tcp().get_executor(), [self = shared_from_this()] {
      self->wire_->Tcp().expires_after(self->server_->options.head_timeout);
      self->wire_->Handshake([self](Error error, size_t) {
        if (!error) self->ReadHead();
      });
    });
  }

 private:
  using Step = void (Connection::*)(Error);

  void ReadHead() {
    parser_.emplace();
    parser_->header_limit(kMaxHeadBytes);
    parser_->body_limit(static_cast<uint64_t>(server_->options.max_body_bytes));
    request_ = {};
    wire_->Tcp().expires_after(server_->options.head_timeout);
    Parse(&Connection::OnHead);
  }

  // Feeds received bytes to the parser, reading more as needed, until it fails or has the whole
  // head (in eager mode, the whole request).
  void Parse(Step then) {
    const auto complete = [this] {
      return parser_->eager() ? parser_->is_done() : parser_->is_header_done();
    };
    Error error;
    while (!error && buffer_.size() > 0 && !complete()) {
      buffer_.consume(parser_->put(buffer_.data(), error));
    }
    if (error == http::error::need_more) error = {};
    if (error || complete()) return (this->*then)(error);
    const size_t room = std::min(kReadBytes, buffer_.max_size() - buffer_.size());
    if (room == 0) return (this->*then)(http::error::buffer_overflow);
    wire_->ReadSome(buffer_.prepare(room),
                    [self = shared_from_this(), then](Error failed, size_t size) {
                      if (failed) return (*self.*then)(failed);
                      self->buffer_.commit(size);
                      self->Parse(then);
                    });
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
    Send("HTTP/1.1 100 Continue\r\n\r\n", "", "", &Connection::ReadBody);
  }

  void ReadBody() {
    wire_->Tcp().expires_after(server_->options.body_timeout);
    parser_->eager(true);
    Parse(&Connection::OnBody);
  }

  void OnBody(Error error) {
    if (error) return Refuse(error);
    request_.body = std::move(parser_->get().body());
    HttpReply reply = *Guard([&] { return std::optional(server_->Dispatch(request_)); });
    Write(std::move(reply), parser_->get().keep_alive());
  }

  // Catches the exceptions of handlers.
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
    const bool cut_off = error.category() != http::make_error_code(http::error{}).category();
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
    request_.raw_query = mark == std::string::npos ? "" : target.substr(mark + 1);
    Error unknown;
    request_.remote = wire_->Tcp().socket().remote_endpoint(unknown).address().to_string();
    request_.header = [this](const std::string& name) {
      return std::string(View(parser_->get()[name]));
    };
  }

  void Write(HttpReply reply, bool keep) {
    const bool in_pieces = reply.next_piece != nullptr || reply.stream != nullptr;
    // HTTP/1.0 has no chunks: the body ends when the connection closes.
    chunked_ = in_pieces && parser_->get().version() >= 11;
    keep_ = keep && (chunked_ || !in_pieces);
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", reply.status,
        View(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(reply.status)))),
        reply.content_type);
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    if (!keep_) head += "Connection: close\r\n";
    if (chunked_) head += "Transfer-Encoding: chunked\r\n";
    if (!in_pieces) head += fmt::format("Content-Length: {}\r\n", reply.body.size());
    head += "\r\n";
    if (request_.method == "HEAD" && reply.stream != nullptr) reply.stream->Close();
    if (request_.method == "HEAD") return Send(std::move(head), "", "", &Connection::Finish);
    if (!in_pieces) {
      return Send(std::move(head), std::move(reply.body), "", &Connection::Finish);
    }
    next_piece_ = std::move(reply.next_piece);
    next_ = std::move(reply.body);
    stream_ = std::move(reply.stream);
    Send(std::move(head), "", "", stream_ ? &Connection::BeginStream : &Connection::WritePiece);
  }

  // From now on, two operations are pending: a read, which notices that the client is gone, and
  // either a write or the stream's call to wake us.
  void BeginStream() {
    if (!server_->streams.Add(stream_)) return Close();
    wire_->Tcp().expires_never();
    Drain();
    if (!next_.empty()) return SendPiece(std::exchange(next_, {}), &Connection::AwaitStream);
    AwaitStream();
  }

  void AwaitStream() {
    StreamReader::Attach(stream_.get(), [weak = weak_from_this(), this] {
      if (const auto self = weak.lock()) {
        asio::post(wire_->Tcp().get_executor(), [self] { self->WriteStream(); });
      }
    });
  }

  void WriteStream() {
    if (writing_) return;
    std::optional<std::string> waiting = StreamReader::Take(stream_.get());
    if (!waiting.has_value()) return Close();
    if (waiting->empty()) return;
    writing_ = true;
    SendPiece(*std::move(waiting), &Connection::StreamWritten);
  }

  void StreamWritten() {
    writing_ = false;
    WriteStream();
  }

  void SendPiece(std::string piece, void (Connection::*then)()) {
    std::string size = chunked_ ? fmt::format("{:x}\r\n", piece.size()) : "";
    Send(std::move(size), std::move(piece), chunked_ ? "\r\n" : "", then);
  }

  // Writes the three texts one after the other, then calls `then`.
  void Send(std::string head, std::string body, std::string tail, void (Connection::*then)()) {
    sent_ = {std::move(head), std::move(body), std::move(tail)};
    wire_->Tcp().expires_after(server_->options.write_timeout);
    wire_->Write({asio::buffer(sent_[0]), asio::buffer(sent_[1]), asio::buffer(sent_[2])},
                 [self = shared_from_this(), then](Error error, size_t) {
                   if (error) return self->Close();
                   (*self.*then)();
                 });
  }

  void Finish() {
    next_piece_ = nullptr;
    keep_ ? ReadHead() : EndWriting();
  }

  // Writes the piece that is ready, then the next ones. An empty chunk would end the body.
  void WritePiece() {
    if (next_.empty()) {
      std::optional<std::string> next;
      const bool produced = !Guard([&] {
        next = next_piece_();
        return std::optional<HttpReply>();
      });
      if (!produced) return Close();  // The status is sent: only closing can report the error.
      if (!next.has_value()) {
        return chunked_ ? Send("0\r\n\r\n", "", "", &Connection::Finish) : Finish();
      }
      next_ = *std::move(next);
      if (next_.empty()) {  // Lets others run, and Stop() take effect.
        return asio::post(wire_->Tcp().get_executor(),
                          [self = shared_from_this()] { self->WritePiece(); });
      }
    }
    SendPiece(std::exchange(next_, {}), &Connection::WritePiece);
  }

  // If we closed while the client is still sending, its system would discard our answer.
  void EndWriting() {
    Error ignored;
    wire_->Tcp().socket().shutdown(Tcp::socket::shutdown_send, ignored);
    wire_->Tcp().expires_after(kDrainTimeout);
    Drain();
  }

  void Drain() {
    scratch_.resize(64 << 10);
    wire_->Tcp().async_read_some(asio::mutable_buffers_1(asio::buffer(scratch_)),
                                 WireThen([self = shared_from_this()](Error error, size_t size) {
                                   self->drained_ += size;
                                   if (!error && self->drained_ < kMaxDrainBytes) {
                                     return self->Drain();
                                   }
                                   self->Close();
                                 }));
  }

  void Close() {
    if (stream_ != nullptr) stream_->Close();
    wire_->Tcp().close();
  }

  const std::unique_ptr<Wire> wire_;
  HttpServer::Impl* const server_;
  beast::flat_buffer buffer_{kMaxHeadBytes + kReadBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  bool keep_ = false;                // Keep the connection after this answer.
  std::array<std::string, 3> sent_;  // Being written.
  // A reply in pieces: the next one to send, and the source of the rest.
  std::string next_;
  std::function<std::optional<std::string>()> next_piece_;
  bool chunked_ = false;
  std::shared_ptr<HttpStream> stream_;  // Of this reply, which is then the connection's last.
  bool writing_ = false;                // Pieces of the stream.
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

// System errors are returned with errno set.
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
    // With no free descriptor, accepting fails immediately, again and again.
    if (error) std::this_thread::sleep_for(Millis{10});
    if (!error && connections < options.max_connections) {
      ++connections;
      Error ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      std::unique_ptr<Wire> wire;
      if (certificate.has_value()) {
        const auto tls = certificate->Current();
        wire = std::make_unique<WireOf<TlsStream>>(TlsStream(std::move(socket), *tls));
      } else {
        wire = std::make_unique<WireOf<PlainStream>>(PlainStream(std::move(socket)));
      }
      std::make_shared<Connection>(std::move(wire), this)->Start();
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
  impl_->streams.Open();
  const HttpServerOptions& options = impl_->options;
  if (!options.tls_certificate.empty() || !options.tls_key.empty()) {
    impl_->certificate.emplace(options.tls_certificate, options.tls_key);
    ARROW_RETURN_NOT_OK(impl_->certificate->Open());
  }
  ARROW_RETURN_NOT_OK(impl_->Bind());
  impl_->Accept();
  for (int i = 0; i < options.threads; ++i) {
    impl_->threads.emplace_back([this] { impl_->context->run(); });
  }
  return Status::OK();
}

void HttpServer::Stop() {
  if (!impl_->context.has_value()) return;
  impl_->streams.CloseAll();
  impl_->context->stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  impl_->acceptor.reset();
  impl_->context.reset();
}

int HttpServer::port() const { return impl_->port; }

}  // namespace shopstream
