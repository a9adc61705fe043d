#pragma once

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <functional>
#include <type_traits>
#include <utility>

// Only for http_server.cc: Asio's templates are costly to compile.
namespace shopstream {

using WireThen = std::function<void(boost::beast::error_code, size_t)>;
using PlainStream = boost::beast::tcp_stream;
using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

// A connection's byte stream, plain or TLS. Virtual, so that the protocol is compiled only once.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual boost::beast::tcp_stream& Tcp() = 0;
  virtual void Handshake(WireThen then) = 0;
  virtual void ReadSome(boost::asio::mutable_buffer buffer, WireThen then) = 0;
  virtual void Write(std::array<boost::asio::const_buffer, 3> buffers, WireThen then) = 0;
};

template <typename Stream>
class WireOf : public Wire {
 public:
  explicit WireOf(Stream stream) : stream_(std::move(stream)) {}

  boost::beast::tcp_stream& Tcp() override { return boost::beast::get_lowest_layer(stream_); }
  void Handshake(WireThen then) override {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_.async_handshake(
          boost::asio::ssl::stream_base::server,
          [then = std::move(then)](boost::beast::error_code error) { then(error, 0); });
    } else {
      then({}, 0);
    }
  }
  void ReadSome(boost::asio::mutable_buffer buffer, WireThen then) override {
    stream_.async_read_some(boost::asio::mutable_buffers_1(buffer), std::move(then));
  }
  void Write(std::array<boost::asio::const_buffer, 3> buffers, WireThen then) override {
    boost::asio::async_write(stream_, buffers, std::move(then));
  }

 private:
  Stream stream_;
};

}  // namespace shopstream
