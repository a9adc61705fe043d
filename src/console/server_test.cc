#include "console/server.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/http_client.h"
#include "base/json.h"
#include "console/masking.h"
#include "console/routes.h"
#include "console/temporary_folder_testing.h"

namespace shopstream::console {
namespace {

// The real table of routes, in a console whose Kafka, registry and lake do not exist.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    config_.kafka.bootstrap_servers = "127.0.0.1:1";
    config_.registry.url = "http://127.0.0.1:1";
    config_.lake.uri = folder_.path() / "lake";
    config_.console.listen = "127.0.0.1:0";
    config_.console.change_log = folder_.path() / "changes.jsonl";
  }

  HttpClient Start() {
    auto sampler = observe::Sampler::Start(config_);
    EXPECT_TRUE(sampler.ok()) << sampler.status().message();
    sampler_ = *std::move(sampler);
    auto server = Server::Start(config_, *sampler_);
    EXPECT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
    return *HttpClient::Open("http://127.0.0.1:" + std::to_string(server_->port()));
  }

  std::vector<ApiRoute> Routes() { return AllRoutes({config_, *sampler_, masking_, tables_}); }

  static std::string Address(const ApiRoute& route) {
    std::string address = route.pattern;
    for (size_t at; (at = address.find('*')) != std::string::npos;) address.replace(at, 1, "1");
    return address;
  }

  int StatusOf(HttpClient* client, const ApiRoute& route, const std::string& address) {
    const auto reply = route.method == "GET" ? client->Get(address)
                                             : client->Post(address, "{}", "application/json");
    EXPECT_TRUE(reply.ok()) << reply.status().message();
    return reply.ok() ? reply->status : 0;
  }

  // Asks for each change of the table, which must be refused. The answers.
  std::vector<std::string> TryEachChange(HttpClient* client) {
    std::vector<std::string> bodies;
    for (const ApiRoute& route : Routes()) {
      if (!std::holds_alternative<Change>(route.handler)) continue;
      const auto reply = client->Post(Address(route), "{}", "application/json");
      EXPECT_TRUE(reply.ok()) << reply.status().message();
      if (!reply.ok()) return bodies;
      EXPECT_EQ(reply->status, 403) << route.pattern;
      bodies.push_back(reply->body);
    }
    return bodies;
  }
  void PermitByToken() {
    std::ofstream(folder_.path() / "token") << "0123456789abcdef0123456789abcdef";
    config_.console.allow_changes = true;
    config_.console.token_file = folder_.path() / "token";
  }

  TemporaryFolder folder_;
  Config config_;
  const Masking masking_{{}};
  LakeTables tables_{config_};
  std::unique_ptr<observe::Sampler> sampler_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, OnlyAPostChangesAnything) {
  Start();
  std::set<std::string> seen;
  for (const ApiRoute& route : Routes()) {
    EXPECT_TRUE(route.method == "GET" || route.method == "POST") << route.pattern;
    EXPECT_TRUE(route.pattern.starts_with("/api/")) << route.pattern;
    EXPECT_FALSE(route.meaning.empty()) << route.pattern;
    EXPECT_TRUE(seen.insert(route.method + " " + route.pattern).second) << route.pattern;
    if (std::holds_alternative<Change>(route.handler)) {
      EXPECT_EQ(route.method, "POST") << route.pattern;
    }
  }
}

TEST_F(ServerTest, EveryChangeIsRefusedByDefault) {
  HttpClient client = Start();
  const std::vector<std::string> refusals = TryEachChange(&client);
  EXPECT_GT(refusals.size(), 0U);
  for (const std::string& body : refusals) {
    EXPECT_NE(body.find("read-only"), std::string::npos) << body;
  }
}

TEST_F(ServerTest, EveryChangeNeedsTheTokenAndTheAttemptIsListed) {
  PermitByToken();
  HttpClient client = Start();
  const size_t changes = TryEachChange(&client).size();
  const auto log = ParseJson(client.Get("/api/changes")->body);
  EXPECT_EQ(log["changes"].size(), changes);
  EXPECT_EQ(log["changes"][0]["from"], "127.0.0.1");
  EXPECT_EQ(log["changes"][0]["error"], "changes need a token or a user: sign in first");
}

TEST_F(ServerTest, NoSpellingOfAnAddressPassesTheSignIn) {
  // `openssl passwd -5 -salt saltsalt secret`
  std::ofstream(folder_.path() / "users")
      << "reader:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA:reader\n";
  config_.console.users = folder_.path() / "users";
  HttpClient client = Start();
  std::vector<ApiRoute> routes = Routes();
  routes.push_back({"GET", "/metrics", "", Read()});
  for (const ApiRoute& route : routes) {
    const std::string address = Address(route);
    EXPECT_EQ(StatusOf(&client, route, address), 401) << address;
    EXPECT_EQ(StatusOf(&client, route,
                       "/%" + std::string(address[1] == 'a' ? "61" : "6d") + address.substr(2)),
              401)
        << address;
    EXPECT_EQ(StatusOf(&client, route, "/" + address), 400) << address;
    EXPECT_EQ(StatusOf(&client, route, address + "/"), 400) << address;
    EXPECT_EQ(StatusOf(&client, route, address + "//"), 400) << address;
  }
}

TEST_F(ServerTest, StrangersDoNotFillTheLog) {
  PermitByToken();
  HttpClient client = Start();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(client.Post("/api/session", R"({"token": "guess"})", "application/json")->status,
              403);
  }
  EXPECT_EQ(ParseJson(client.Get("/api/changes")->body)["changes"].size(), 60U);
}

TEST_F(ServerTest, ListsItsRoutes) {
  HttpClient client = Start();
  const auto listed = ParseJson(client.Get("/api")->body)["routes"];
  EXPECT_GE(listed.size(), Routes().size());
  EXPECT_EQ(listed[0]["path"], "/api/overview");
  EXPECT_EQ(listed[0]["changes"], false);
}

TEST_F(ServerTest, StartsBeforeAnythingElseAndSaysWhatIsMissing) {
  HttpClient client = Start();
  EXPECT_EQ(client.Get("/")->status, 200);
  const auto overview = ParseJson(client.Get("/api/overview")->body);
  EXPECT_TRUE(overview["lag"]["records"].is_null()) << overview.dump();
  EXPECT_FALSE(overview["tables"]["bronze"]["exists"]) << overview.dump();
  EXPECT_EQ(client.Get("/api/nothing")->status, 404);
  EXPECT_EQ(client.Post("/api/overview", "{}", "application/json")->status, 405);
  EXPECT_EQ(client.Post("/api/session", "not JSON", "application/json")->status, 400);
}

TEST_F(ServerTest, ShowsNoSecret) {
  config_.registry.password = "hunter2-a";
  config_.registry.url = "http://someone:hunter2-b@127.0.0.1:1";
  config_.s3.access_key = "hunter2-c";
  config_.s3.secret_key = "hunter2-d";
  config_.s3.session_token = "hunter2-e";
  config_.kafka.security["sasl.password"] = "hunter2-f";
  HttpClient client = Start();
  const std::string about = client.Get("/api/about")->body;
  EXPECT_EQ(about.find("hunter2"), std::string::npos) << about;
  EXPECT_NE(about.find("lake.uri"), std::string::npos);
  EXPECT_NE(about.find("\"preact\""), std::string::npos);
}

}  // namespace
}  // namespace shopstream::console
