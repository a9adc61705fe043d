#include "registry/handlers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/http_client.h"
#include "registry/client.h"
#include "registry/memory_store.h"
#include "registry/rest.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kOrder =
    R"({"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]})";
const std::string kOrderWithDefault = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"double","default":0}]})";
const std::string kOrderWithoutDefault = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"double"}]})";

// The HTTP side on a real socket, in front of a log in memory.
class HandlersTest : public testing::Test {
 protected:
  void SetUp() override {
    AddRoutes(server_, store_);
    const Status started = server_.Start();
    ASSERT_TRUE(started.ok()) << started;
    config_.url = "http://127.0.0.1:" + std::to_string(server_.port());
    http_ = std::make_unique<HttpClient>(*HttpClient::Open(config_.url));
    client_ = *Client::Open(config_);
  }

  struct Answer {
    int status;
    json body;
    int code() const { return body.value("error_code", 0); }
    std::string message() const { return body.value("message", ""); }
  };
  Answer Get(const std::string& path) { return ToAnswer(http_->Get(path)); }
  Answer Post(const std::string& path, const std::string& schema) {
    return ToAnswer(http_->Post(path, json{{"schema", schema}}.dump(), kMediaType));
  }
  Answer PostRaw(const std::string& path, const std::string& body) {
    return ToAnswer(http_->Post(path, body, kMediaType));
  }
  Answer Put(const std::string& path, const std::string& body) {
    return ToAnswer(http_->Put(path, body, kMediaType));
  }
  static Answer ToAnswer(const Result<HttpResponse>& response) {
    if (!response.ok()) {
      ADD_FAILURE() << response.status();
      return {0, {}};
    }
    return {response->status, json::parse(response->body, nullptr, false)};
  }

  MemoryStore store_;
  HttpServer server_{{.listen = "127.0.0.1:0"}};
  RegistryConfig config_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Client> client_;
};

TEST_F(HandlersTest, RegistersAndServes) {
  EXPECT_EQ((json{{"id", 1}, {"version", 1}}), Post("/subjects/orders/versions", kOrder).body);
  EXPECT_EQ((json{{"schema", kOrder}}), Get("/schemas/ids/1?fetchMaxId=false").body);
  const json version = {{"subject", "orders"}, {"version", 1}, {"id", 1}, {"schema", kOrder}};
  EXPECT_EQ(version, Get("/subjects/orders/versions/latest").body);
  EXPECT_EQ(version, Get("/subjects/orders/versions/1").body);
  EXPECT_EQ(version, Post("/subjects/orders", kOrder).body);
  EXPECT_EQ(json::parse(kOrder), Get("/subjects/orders/versions/1/schema").body);
  EXPECT_EQ(json::parse(kOrder), Get("/schemas/ids/1/schema").body);
  EXPECT_EQ(json({"orders"}), Get("/subjects").body);
  EXPECT_EQ(json({1}), Get("/subjects/orders/versions").body);
  EXPECT_EQ(json({"orders"}), Get("/schemas/ids/1/subjects").body);
  EXPECT_EQ(json({{{"subject", "orders"}, {"version", 1}}}), Get("/schemas/ids/1/versions").body);
}

TEST_F(HandlersTest, SubjectsMayHoldAnything) {
  const std::string subject = "a/b c%?ü";
  auto registered = client_->Register(subject, kOrder);
  ASSERT_TRUE(registered.ok()) << registered.status();
  auto latest = client_->Latest(subject);
  ASSERT_TRUE(latest.ok()) << latest.status();
  EXPECT_EQ(subject, latest->subject);
  EXPECT_THAT(*client_->Subjects(), ElementsAre(subject));
}

TEST_F(HandlersTest, UnknownThingsHaveConfluentsCodes) {
  Post("/subjects/orders/versions", kOrder);
  EXPECT_EQ(40401, Get("/subjects/nope/versions").code());
  EXPECT_EQ(40401, Get("/subjects/nope/versions/latest").code());
  EXPECT_EQ(40401, Post("/subjects/nope", kOrder).code());
  EXPECT_EQ(40402, Get("/subjects/orders/versions/9").code());
  EXPECT_EQ(40403, Get("/schemas/ids/9").code());
  EXPECT_EQ("Schema 9 not found", Get("/schemas/ids/9").message());
  EXPECT_EQ(40403, Post("/subjects/orders", kOrderWithDefault).code());
  EXPECT_EQ(42202, Get("/subjects/orders/versions/0").code());
  EXPECT_EQ(42202, Get("/subjects/orders/versions/x").code());
  EXPECT_EQ(404, Get("/schemas/ids/x").code());
  EXPECT_EQ(404, Get("/nope").code());
}

TEST_F(HandlersTest, InvalidSchemasAre42201) {
  EXPECT_EQ(42201, Post("/subjects/s/versions", R"({"type":"record"})").code());
  EXPECT_EQ(42201, PostRaw("/subjects/s/versions", "{}").code());
  EXPECT_EQ(
      42201,
      PostRaw("/subjects/s/versions", R"({"schema":"\"int\"","schemaType":"PROTOBUF"})").code());
  EXPECT_EQ(400, PostRaw("/subjects/s/versions", "no JSON").code());
  EXPECT_EQ(422, Post("/subjects/s/versions", "x").status);
}

TEST_F(HandlersTest, IncompatibleSchemaIs409WithReasons) {
  Post("/subjects/orders/versions", kOrder);
  const Answer refused = Post("/subjects/orders/versions", kOrderWithoutDefault);
  EXPECT_EQ(409, refused.status);
  EXPECT_EQ(409, refused.code());
  EXPECT_THAT(refused.message(), HasSubstr("READER_FIELD_MISSING_DEFAULT_VALUE"));
  EXPECT_EQ(2, Post("/subjects/orders/versions", kOrderWithDefault).body["id"]);
}

TEST_F(HandlersTest, CompatibilityIsCheckedWithoutRegistering) {
  const std::string check = "/compatibility/subjects/orders/versions/latest";
  EXPECT_EQ((json{{"is_compatible", true}}), Post(check, kOrder).body);
  Post("/subjects/orders/versions", kOrder);
  EXPECT_EQ((json{{"is_compatible", true}}), Post(check, kOrderWithDefault).body);
  const Answer verdict = Post(check + "?verbose=true", kOrderWithoutDefault);
  EXPECT_EQ(false, verdict.body["is_compatible"]);
  EXPECT_EQ(1u, verdict.body["messages"].size());
  EXPECT_EQ(40402, Post("/compatibility/subjects/orders/versions/7", kOrder).code());
  EXPECT_EQ(json({1}), Get("/subjects/orders/versions").body);
}

TEST_F(HandlersTest, LevelsAreReadAndSet) {
  EXPECT_EQ((json{{"compatibilityLevel", "BACKWARD"}}), Get("/config").body);
  EXPECT_EQ(40408, Get("/config/orders").code());
  EXPECT_EQ((json{{"compatibilityLevel", "BACKWARD"}}),
            Get("/config/orders?defaultToGlobal=true").body);
  EXPECT_EQ((json{{"compatibility", "NONE"}}),
            Put("/config/orders", R"({"compatibility":"NONE"})").body);
  EXPECT_EQ((json{{"compatibilityLevel", "NONE"}}), Get("/config/orders").body);
  EXPECT_EQ(42203, Put("/config", R"({"compatibility":"SOME"})").code());
}

TEST_F(HandlersTest, Answers503UntilTheLogHasBeenRead) {
  store_.NotReadYet("read to offset 3 of 8");
  const Answer answer = Get("/schemas/ids/1");
  EXPECT_EQ(503, answer.status);
  EXPECT_THAT(answer.message(), HasSubstr("read to offset 3 of 8"));
  EXPECT_EQ(503, Post("/subjects/s/versions", kOrder).status);
  EXPECT_EQ(LookUpOutcome::kUnavailable, client_->ById(1).outcome);
}

TEST_F(HandlersTest, UnknownIdIsAVerdictOnlyAtTheEndOfTheLog) {
  store_.WriteElsewhere(SchemaRecord{"orders", 1, 5, kOrder});
  EXPECT_EQ(LookUpOutcome::kFound, client_->ById(5).outcome);
  EXPECT_EQ(LookUpOutcome::kUnknown, client_->ById(6).outcome);
}

TEST_F(HandlersTest, StoreThatFailsIsAnOutageNotAnAnswer) {
  Post("/subjects/orders/versions", kOrder);
  store_.Fail("no Kafka broker answered");
  EXPECT_EQ(200, Get("/schemas/ids/1").status) << "what is in memory is still served";
  EXPECT_EQ(200, Post("/subjects/orders/versions", kOrder).status) << "it stands already";
  const Answer unknown = Get("/schemas/ids/2");
  EXPECT_EQ(500, unknown.status);
  EXPECT_EQ(50001, unknown.code());
  EXPECT_EQ(50001, Post("/subjects/orders/versions", kOrderWithDefault).code());
  const LookUp look_up = client_->ById(2);
  EXPECT_EQ(LookUpOutcome::kUnavailable, look_up.outcome);
  EXPECT_THAT(look_up.detail, HasSubstr(config_.url + "/schemas/ids/2"));
}

TEST_F(HandlersTest, ClientKeepsFoundIds) {
  ASSERT_TRUE(client_->Register("orders", kOrder).ok());
  EXPECT_EQ(LookUpOutcome::kFound, client_->ById(1).outcome);
  server_.Stop();
  const LookUp cached = client_->ById(1);
  EXPECT_EQ(LookUpOutcome::kFound, cached.outcome);
  EXPECT_EQ(kOrder, cached.schema.schema);
  EXPECT_EQ(LookUpOutcome::kUnavailable, client_->ById(2).outcome);
}

TEST_F(HandlersTest, ClientTellsErrorsApart) {
  EXPECT_TRUE(client_->Latest("nope").status().IsKeyError());
  EXPECT_TRUE(client_->Register("s", "{").status().IsInvalid());
  EXPECT_TRUE(client_->CheckCompatible("nope", kOrder)->first_version);
}

TEST_F(HandlersTest, OtherServersAreNotTakenForARegistry) {
  HttpServer other({.listen = "127.0.0.1:0"});
  other.Route("GET", "/schemas/ids/1", [](const HttpRequest&) {
    return HttpReply{200, "<html>hello</html>", "text/html"};
  });
  ASSERT_TRUE(other.Start().ok());
  auto client = *Client::Open({.url = "http://127.0.0.1:" + std::to_string(other.port())});
  EXPECT_EQ(LookUpOutcome::kUnavailable, client->ById(1).outcome);
  EXPECT_EQ(LookUpOutcome::kUnavailable, client->ById(2).outcome) << "a 404 without a code";
  EXPECT_TRUE(client->Latest("s").status().IsIOError());
}

}  // namespace
}  // namespace shopstream::registry
