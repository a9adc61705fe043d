#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio.hpp>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/http_client.h"
#include "base/http_server.h"

namespace shopstream {
namespace {

using testing::HasSubstr;

class HttpTest : public testing::Test {
 protected:
  HttpServer& Serve(HttpServerOptions options = {.listen = "127.0.0.1:0"}) {
    server_ = std::make_unique<HttpServer>(options);
    server_->Route("GET", "/subjects/*/versions/*", [](const HttpRequest& request) {
      return HttpReply{
          200, request.captures[0] + " " + request.captures[1] + " " + request.query("deleted")};
    });
    server_->Route("POST", "/echo", [](const HttpRequest& request) {
      return HttpReply{200, request.content_type + ":" + request.body};
    });
    server_->Route("PUT", "/echo", [](const HttpRequest& r) { return HttpReply{200, r.body}; });
    server_->Route("DELETE", "/echo", [](const HttpRequest&) { return HttpReply{409, "no"}; });
    server_->Route("GET", "/throws",
                   [](const HttpRequest&) -> HttpReply { throw std::runtime_error("boom"); });
    server_->OnError([](int status, const HttpRequest& request) {
      return HttpReply{status, "error " + std::to_string(status) + " " + request.path};
    });
    return *server_;
  }

  HttpClient Client(const std::string& prefix = "", Millis timeout = Millis{5000}) {
    return *HttpClient::Open("http://127.0.0.1:" + std::to_string(server_->port()) + prefix,
                             timeout);
  }

  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpTest, RoutesByMethodAndPattern) {
  ASSERT_TRUE(Serve().Start().ok());
  HttpClient client = Client();
  EXPECT_EQ("a-value 3 true", client.Get("/subjects/a-value/versions/3?deleted=true")->body);
  EXPECT_EQ("text/x:hello", client.Post("/echo", "hello", "text/x")->body);
  EXPECT_EQ("again", client.Put("/echo", "again", "text/x")->body);
  const HttpResponse refused = *client.Delete("/echo");
  EXPECT_EQ(409, refused.status);
  EXPECT_EQ("no", refused.body);
}

TEST_F(HttpTest, APrefixInTheUrlComesBeforeEveryPath) {
  ASSERT_TRUE(Serve().Start().ok());
  EXPECT_EQ("s 1 ", Client("/subjects/").Get("/s/versions/1")->body);
}

TEST_F(HttpTest, UnknownPathsAndFailingHandlersGetTheErrorReply) {
  ASSERT_TRUE(Serve().Start().ok());
  HttpClient client = Client();
  EXPECT_EQ("error 404 /nowhere", client.Get("/nowhere")->body);
  const HttpResponse failed = *client.Get("/throws");
  EXPECT_EQ(500, failed.status);
  EXPECT_EQ("error 500 /throws", failed.body);
}

TEST_F(HttpTest, ABodyOverTheBoundIsRefused) {
  ASSERT_TRUE(Serve({.listen = "127.0.0.1:0", .max_body_bytes = 1000}).Start().ok());
  EXPECT_EQ(200, Client().Post("/echo", std::string(1000, 'x'), "text/x")->status);
  EXPECT_EQ(413, Client().Post("/echo", std::string(1001, 'x'), "text/x")->status);
}

TEST_F(HttpTest, ATakenPortIsAnErrorOrTheNextOne) {
  ASSERT_TRUE(Serve().Start().ok());
  const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
  HttpServer second({.listen = taken});
  const Status status = second.Start();
  EXPECT_TRUE(status.IsIOError());
  EXPECT_THAT(status.message(), HasSubstr(taken));
  HttpServer third({.listen = taken, .next_ports_to_try = 15});
  ASSERT_TRUE(third.Start().ok());
  EXPECT_GT(third.port(), server_->port());
}

TEST_F(HttpTest, StopsWhileClientsKeepTheirConnections) {
  ASSERT_TRUE(Serve().Start().ok());
  HttpClient client = Client();
  ASSERT_TRUE(client.Get("/nowhere").ok());
  server_->Stop();
  const auto after = client.Get("/nowhere");
  ASSERT_FALSE(after.ok());
  EXPECT_TRUE(after.status().IsIOError());
  EXPECT_THAT(after.status().message(), HasSubstr("/nowhere"));
}

// Sends the bytes of one request on a raw socket.
std::string Exchange(int port, const std::string& bytes) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(port)});
  boost::asio::write(socket, boost::asio::buffer(bytes));
  std::string answer;
  boost::system::error_code end;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
  return answer;
}

TEST_F(HttpTest, WhatIsNoRequestIsRefused) {
  ASSERT_TRUE(Serve().Start().ok());
  EXPECT_THAT(Exchange(server_->port(), "nonsense\r\n\r\n"), HasSubstr("400"));
  const std::string line(64 << 10, 'x');
  EXPECT_THAT(Exchange(server_->port(), "GET / HTTP/1.1\r\nX: " + line), HasSubstr("431"));
  EXPECT_THAT(Exchange(server_->port(), "GET /" + line.substr(0, 10'000) + " HTTP/1.1\r\n\r\n"),
              HasSubstr("414"));
}

TEST_F(HttpTest, SlowClientsAreCutOff) {
  Serve({.listen = "127.0.0.1:0", .head_timeout = Millis{100}, .body_timeout = Millis{100}});
  ASSERT_TRUE(server_->Start().ok());
  // The test is that these return at all.
  EXPECT_EQ("", Exchange(server_->port(), "GET /nowhere HTTP/1.1\r\nHost:"));
  EXPECT_EQ("", Exchange(server_->port(), "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"));
}

TEST_F(HttpTest, TheGateAnswersBeforeTheBodyIsRead) {
  Serve().Before([](const HttpRequest& head) -> std::optional<HttpReply> {
    if (head.header("Authorization") == "me") return std::nullopt;
    return HttpReply{401, "who?"};
  });
  ASSERT_TRUE(server_->Start().ok());
  const std::string head = "POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n";
  EXPECT_THAT(Exchange(server_->port(), head + "\r\n"), HasSubstr("who?"));
  EXPECT_THAT(Exchange(server_->port(), head + "Authorization: me\r\n\r\nhi"), HasSubstr(":hi"));
  EXPECT_THAT(
      Exchange(server_->port(), head + "Authorization: me\r\nExpect: 100-continue\r\n\r\nhi"),
      HasSubstr("100 Continue"));
}

TEST_F(HttpTest, ServesSeveralClientsAtOnce) {
  ASSERT_TRUE(Serve().Start().ok());
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      HttpClient client = Client();
      for (int i = 0; i < 50; ++i) good += client.Post("/echo", "x", "t")->body == "t:x";
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(200, good);
}

TEST_F(HttpTest, ASlowAnswerEndsAtTheTimeOut) {
  Serve();
  std::promise<void> release;
  server_->Route("GET", "/slow",
                 [released = release.get_future().share()](const HttpRequest&) -> HttpReply {
                   released.wait();
                   return {};
                 });
  ASSERT_TRUE(server_->Start().ok());
  const auto reply = Client("", Millis{50}).Get("/slow");
  release.set_value();
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.status().message(), HasSubstr("50 ms"));
}

TEST_F(HttpTest, AReplyInPiecesKeepsTheConnection) {
  Serve();
  server_->Route("GET", "/count", [](const HttpRequest&) {
    HttpReply reply{200, "0 ", "text/plain"};
    reply.next_piece = [n = 0]() mutable -> std::optional<std::string> {
      if (++n > 1000) return std::nullopt;
      return n % 2 == 0 ? "" : std::to_string(n) + " ";
    };
    return reply;
  });
  server_->Route("GET", "/breaks", [](const HttpRequest&) {
    HttpReply reply;
    reply.next_piece = []() -> std::optional<std::string> { throw std::runtime_error("boom"); };
    return reply;
  });
  ASSERT_TRUE(server_->Start().ok());
  std::string whole = "0 ";
  for (int n = 1; n <= 1000; n += 2) whole += std::to_string(n) + " ";
  HttpClient client = Client();
  EXPECT_EQ(whole, client.Get("/count")->body);
  EXPECT_EQ(whole, client.Get("/count")->body);
  EXPECT_FALSE(client.Get("/breaks").ok());
  EXPECT_THAT(Exchange(server_->port(), "GET /count HTTP/1.0\r\n\r\n"),
              HasSubstr("\r\n\r\n" + whole));
}

TEST(HttpClientOpen, RefusesWhatIsNoUrl) {
  for (const char* url : {"", "127.0.0.1:8082", "ftp://x", "http://", "http://a b", "http://x?y"}) {
    EXPECT_TRUE(HttpClient::Open(url).status().IsInvalid()) << url;
  }
  EXPECT_TRUE(HttpClient::Open("http://user:secret@[::1]:80/prefix").ok());
}

TEST(HttpClientOpen, ErrorsDoNotShowThePassword) {
  auto client = HttpClient::Open("http://user:secret@127.0.0.1:1");
  ASSERT_TRUE(client.ok());
  const Status status = client->Get("/x").status();
  EXPECT_THAT(status.message(), HasSubstr("127.0.0.1:1/x"));
  EXPECT_THAT(status.message(), testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace shopstream
