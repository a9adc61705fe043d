#include "base/http_transfer.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/http_server.h"

namespace shopstream {
namespace {

class HttpTransferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.Route("GET", "/hello", [](HttpRequest&) {
      HttpReply reply;
      reply.body = "hello";
      reply.headers = {{"X-Place", "here"}};
      return reply;
    });
    server_.Route("PUT", "/echo", [](HttpRequest& request) {
      HttpReply reply;
      reply.body = request.body;
      return reply;
    });
    server_.Route("GET", "/slow", [](HttpRequest&) {
      HttpReply reply;
      // No piece ever comes, so that no answer is ever complete.
      reply.next_piece = [] { return std::optional<std::string>(""); };
      return reply;
    });
    ASSERT_TRUE(server_.Start().ok());
  }

  HttpTransferRequest Request(const std::string& method, const std::string& path) {
    HttpTransferRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server_.port()) + path;
    return request;
  }

  HttpServer server_{{.listen = "127.0.0.1:0"}};
  HttpTransfer transfer_ = *HttpTransfer::Open();
};

TEST_F(HttpTransferTest, SendsBodiesAndHandsOutHeaders) {
  std::string lines;
  HttpTransferRequest request = Request("GET", "/hello");
  request.on_header = [&lines](std::string_view line) { lines += line; };
  const HttpTransferReply reply = transfer_.Send(request);
  EXPECT_EQ(200, reply.status);
  EXPECT_EQ("hello", reply.body);
  EXPECT_NE(std::string::npos, lines.find("X-Place: here\r\n"));
  // The next request of the same transfer has nothing of the last one.
  const std::string large(3 << 20, 'x');
  request = Request("PUT", "/echo");
  request.body = large;
  EXPECT_EQ(large, transfer_.Send(request).body);
  EXPECT_EQ(404, transfer_.Send(Request("DELETE", "/echo")).status);
}

TEST_F(HttpTransferTest, AFailureHasAKind) {
  HttpTransferRequest request = Request("GET", "/hello");
  request.max_reply_bytes = 4;
  EXPECT_EQ(HttpFailure::kTooLarge, transfer_.Send(request).failure);
  request = Request("GET", "/slow");
  request.timeout = Millis{200};
  const HttpTransferReply slow = transfer_.Send(request);
  EXPECT_EQ(HttpFailure::kTimeout, slow.failure);
  EXPECT_TRUE(slow.sent);
  EXPECT_EQ(0, slow.status);
  request = Request("GET", "/hello");
  request.url = "http://127.0.0.1:1/hello";
  const HttpTransferReply refused = transfer_.Send(request);
  EXPECT_EQ(HttpFailure::kNotConnected, refused.failure);
  EXPECT_FALSE(refused.sent);
  request.url = "http://nowhere.invalid/";
  EXPECT_EQ(HttpFailure::kHostUnknown, transfer_.Send(request).failure);
  request = Request("GET", "/hello");
  request.url.replace(0, 4, "https");
  EXPECT_EQ(HttpFailure::kTls, transfer_.Send(request).failure);
  request.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(HttpFailure::kBadCaFile, transfer_.Send(request).failure);
}

TEST(HttpDate, IsParsedOrRefused) {
  EXPECT_EQ(784111777, ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_EQ(-1, ParseHttpDate("yesterday"));
}

}  // namespace
}  // namespace shopstream
