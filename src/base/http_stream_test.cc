#include "base/http_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/http_server.h"

namespace shopstream {
namespace {

using Tcp = boost::asio::ip::tcp;

constexpr Millis kPatience{20'000};
constexpr size_t kMostBytes = 64 << 10;

void WaitUntil(const std::function<bool()>& holds) {
  const BootClock::time_point deadline = BootClock::now() + kPatience;
  while (!holds()) {
    ASSERT_LT(BootClock::now(), deadline);
    std::this_thread::yield();
  }
}

// A server whose clients all get a stream; a client that reads when it is told to.
class HttpStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    server_.Route("GET", "/stream", [this](const HttpRequest&) {
      auto stream = std::make_shared<HttpStream>(kMostBytes);
      const std::lock_guard lock(mutex_);
      streams_.push_back(stream);
      return HttpReply{200, "first\n", "text/event-stream", {}, {}, stream};
    });
    server_.Route("GET", "/plain", [](const HttpRequest&) { return HttpReply{200, "plain"}; });
    ASSERT_TRUE(server_.Start().ok());
  }

  std::unique_ptr<Tcp::socket> Connect(const std::string& path) {
    auto socket = std::make_unique<Tcp::socket>(context_);
    socket->connect(
        {boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(server_.port())});
    const std::string head = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    boost::asio::write(*socket, boost::asio::buffer(head));
    return socket;
  }

  std::string ReadTo(Tcp::socket* socket, const std::string& end) {
    std::string text;
    boost::asio::read_until(*socket, boost::asio::dynamic_buffer(text), end);
    return text;
  }

  // The stream of the client that connected last.
  std::shared_ptr<HttpStream> Stream(size_t number) {
    WaitUntil([&] { return Count() == number; });
    const std::lock_guard lock(mutex_);
    return streams_.back();
  }
  size_t Count() {
    const std::lock_guard lock(mutex_);
    return streams_.size();
  }

  boost::asio::io_context context_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<HttpStream>> streams_;
  HttpServer server_{{.listen = "127.0.0.1:0", .threads = 2}};
};

TEST_F(HttpStreamTest, SendsWhatAnyThreadPushes) {
  const auto client = Connect("/stream");
  EXPECT_NE(ReadTo(client.get(), "first\n\r\n").find("Transfer-Encoding: chunked"),
            std::string::npos);
  const auto stream = Stream(1);
  EXPECT_TRUE(stream->Push("second\n"));
  EXPECT_EQ(ReadTo(client.get(), "second\n\r\n"), "7\r\nsecond\n\r\n");
  std::thread([&] { stream->Push("third\n"); }).join();
  EXPECT_EQ(ReadTo(client.get(), "third\n\r\n"), "6\r\nthird\n\r\n");
}

TEST_F(HttpStreamTest, OccupiesNoThread) {
  std::vector<std::unique_ptr<Tcp::socket>> clients;
  for (size_t i = 1; i <= 200; ++i) {
    clients.push_back(Connect("/stream"));
    ReadTo(clients.back().get(), "first\n");
  }
  const auto other = Connect("/plain");
  EXPECT_NE(ReadTo(other.get(), "plain").find("200 OK"), std::string::npos);
  for (const auto& stream : streams_) EXPECT_TRUE(stream->Push("all\n"));
  for (const auto& client : clients) ReadTo(client.get(), "all\n");
}

TEST_F(HttpStreamTest, DropsAClientThatReadsTooSlowly) {
  const auto slow = Connect("/stream");
  const auto stream = Stream(1);
  const std::string piece(kMostBytes / 4, 'x');
  WaitUntil([&] { return !stream->Push(piece); });  // The system's buffers come first.
  EXPECT_FALSE(stream->open());
  std::vector<char> rest(1 << 20);
  boost::system::error_code closed;
  while (!closed) slow->read_some(boost::asio::buffer(rest), closed);
  EXPECT_TRUE(closed == boost::asio::error::eof || closed == boost::asio::error::connection_reset);
}

TEST_F(HttpStreamTest, NoticesThatTheClientIsGone) {
  auto client = Connect("/stream");
  const auto stream = Stream(1);
  ReadTo(client.get(), "first\n");
  client.reset();
  WaitUntil([&] { return !stream->open(); });
  EXPECT_FALSE(stream->Push("to nobody"));
}

TEST_F(HttpStreamTest, ClosingItDisconnectsTheClient) {
  const auto client = Connect("/stream");
  Stream(1)->Close();
  std::vector<char> rest(1 << 10);
  boost::system::error_code closed;
  while (!closed) client->read_some(boost::asio::buffer(rest), closed);
  EXPECT_EQ(closed, boost::asio::error::eof);
}

TEST_F(HttpStreamTest, StopsWhileOthersPush) {
  std::vector<std::unique_ptr<Tcp::socket>> clients;
  for (size_t i = 1; i <= 20; ++i) {
    clients.push_back(Connect("/stream"));
    Stream(i);
  }
  std::atomic<bool> stop{false};
  std::thread pusher([&] {
    while (!stop) {
      for (const auto& stream : streams_) stream->Push("piece\n");
    }
  });
  server_.Stop();
  for (const auto& stream : streams_) EXPECT_FALSE(stream->open());
  stop = true;
  pusher.join();
}

}  // namespace
}  // namespace shopstream
