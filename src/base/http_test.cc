#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
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
    server_->Route("GET", R"(/subjects/([^/]+)/versions/(\d+))", [](const HttpRequest& request) {
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
