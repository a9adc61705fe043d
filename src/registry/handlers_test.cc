#include "registry/handlers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avro/schema.h"
#include "base/http_client.h"
#include "base/json.h"
#include "base/metrics_testing.h"
#include "registry/client.h"
#include "registry/rest.h"
#include "simulate/schema_log.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;
using shopstream::testing::PageShows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kOrder =
    R"({"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]})";
const std::string kOrderWithDefault = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"double","default":0}]})";
const std::string kOrderWithoutDefault = R"({"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"double"}]})";

// The HTTP side on a real socket, with a log in memory.
class HandlersTest : public ::testing::Test {
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
  Answer Delete(const std::string& path) { return ToAnswer(http_->Delete(path)); }
  static Answer ToAnswer(const Result<HttpResponse>& response) {
    if (!response.ok()) {
      ADD_FAILURE() << response.status();
      return {0, {}};
    }
    return {response->status, ParseJson(response->body)};
  }

  simulate::SchemaLog store_;
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

TEST_F(HandlersTest, RequestsAreCountedByEndpointAndStatus) {
  Post("/subjects/counted/versions", kOrder);
  Get("/subjects/counted/versions/7");
  Get("/made-up-by-a-client");
  const std::string name = "shopstream_registry_requests_total";
  EXPECT_TRUE(PageShows(name + R"({method="POST",route="/subjects/**/versions",status="200"})"));
  EXPECT_TRUE(PageShows(name + R"({method="GET",route="/subjects/**/versions/*",status="404"})"));
  EXPECT_TRUE(PageShows(name + R"({method="GET",route="other",status="404"})"));
  EXPECT_TRUE(
      PageShows("shopstream_registry_request_seconds_count"
                R"({method="POST",route="/subjects/**/versions"})"));
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
  EXPECT_EQ(42201,
            PostRaw("/subjects/s/versions", R"({"schema":"\"int\"","schemaType":"XML"})").code());
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
  // The rule, the version, its schema, the level.
  EXPECT_EQ(4u, verdict.body["messages"].size());
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
  RegistryConfig config;
  config.url = "http://127.0.0.1:" + std::to_string(other.port());
  auto client = *Client::Open(config);
  EXPECT_EQ(LookUpOutcome::kUnavailable, client->ById(1).outcome);
  EXPECT_EQ(LookUpOutcome::kUnavailable, client->ById(2).outcome) << "a 404 without a code";
  EXPECT_TRUE(client->Latest("s").status().IsIOError());
}

TEST_F(HandlersTest, VersionsAndSubjectsAreDeletedInTwoSteps) {
  Post("/subjects/orders/versions", kOrder);
  Post("/subjects/orders/versions", kOrderWithDefault);
  EXPECT_EQ(40407, Delete("/subjects/orders/versions/1?permanent=true").code());
  EXPECT_EQ(json(1), Delete("/subjects/orders/versions/1").body);
  EXPECT_EQ(40406, Delete("/subjects/orders/versions/1").code());
  EXPECT_EQ(json({2}), Get("/subjects/orders/versions").body);
  EXPECT_EQ(json({1, 2}), Get("/subjects/orders/versions?deleted=true").body);
  EXPECT_EQ(json({1}), Get("/subjects/orders/versions?deletedOnly=true").body);
  EXPECT_EQ(40402, Get("/subjects/orders/versions/1").code());
  EXPECT_EQ(1, Get("/subjects/orders/versions/1?deleted=true").body["version"]);
  EXPECT_EQ(200, Get("/schemas/ids/1").status) << "records written with it are still to be read";
  EXPECT_EQ(40403, Post("/subjects/orders", kOrder).code());
  EXPECT_EQ(1, Post("/subjects/orders?deleted=true", kOrder).body["version"]);
  EXPECT_EQ(json::array(), Get("/schemas/ids/1/subjects").body);
  EXPECT_EQ(json({"orders"}), Get("/schemas/ids/1/subjects?deleted=true").body);

  EXPECT_EQ(40405, Delete("/subjects/orders?permanent=true").code());
  EXPECT_EQ(json({2}), Delete("/subjects/orders").body);
  EXPECT_EQ(40404, Delete("/subjects/orders").code());
  EXPECT_EQ(json::array(), Get("/subjects").body);
  EXPECT_EQ(json({"orders"}), Get("/subjects?deleted=true").body);
  EXPECT_EQ(json({"orders"}), Get("/subjects?deletedOnly=true").body);
  EXPECT_EQ(json({1, 2}), Delete("/subjects/orders?permanent=true").body);
  EXPECT_EQ(40403, Get("/schemas/ids/1").code());
  EXPECT_EQ(40401, Delete("/subjects/orders").code());
  EXPECT_EQ(3, Post("/subjects/orders/versions", kOrder).body["id"]);
}

TEST_F(HandlersTest, SubjectsAndSchemasAreListedByPrefixAndPage) {
  for (const char* subject : {"a-1", "a-2", "b-1"}) {
    Post(std::string("/subjects/") + subject + "/versions", kOrder);
  }
  Post("/subjects/a-1/versions", kOrderWithDefault);
  EXPECT_EQ(json({"a-1", "a-2"}), Get("/subjects?subjectPrefix=a-").body);
  EXPECT_EQ(json({"a-2"}), Get("/subjects?offset=1&limit=1").body);
  EXPECT_EQ(4u, Get("/schemas").body.size());
  EXPECT_EQ(3u, Get("/schemas?subjectPrefix=a").body.size());
  const json latest = Get("/schemas?subjectPrefix=a-1&latestOnly=true").body;
  ASSERT_EQ(1u, latest.size());
  EXPECT_EQ(2, latest[0]["version"]);
  EXPECT_EQ(2, Get("/schemas/ids/1?fetchMaxId=true").body["maxId"]);
}

TEST_F(HandlersTest, SchemasReferToOthers) {
  Post("/subjects/order/versions", kOrder);
  const json cart = {
      {"schema", R"({"type":"record","name":"Cart","fields":[{"name":"order","type":"Order"}]})"},
      {"references", {{{"name", "Order"}, {"subject", "order"}, {"version", 1}}}}};
  EXPECT_EQ(42201, Post("/subjects/cart/versions", cart["schema"]).code());
  EXPECT_EQ(2, PostRaw("/subjects/cart/versions", cart.dump()).body["id"]);
  EXPECT_EQ(cart["references"], Get("/schemas/ids/2").body["references"]);
  EXPECT_EQ(json({2}), Get("/subjects/order/versions/1/referencedby").body);
  EXPECT_EQ(42206, Delete("/subjects/order/versions/1").code());
  const LookUp whole = client_->ById(2);
  ASSERT_EQ(LookUpOutcome::kFound, whole.outcome) << whole.detail;
  EXPECT_TRUE(avro::Schema::Parse(whole.schema.schema).ok()) << whole.schema.schema;
  json missing = cart;
  missing["references"][0]["version"] = 9;
  EXPECT_EQ(42201, PostRaw("/subjects/cart/versions", missing.dump()).code());
}

TEST_F(HandlersTest, ModesAreReadAndSet) {
  EXPECT_EQ((json{{"mode", "READWRITE"}}), Get("/mode").body);
  EXPECT_EQ(40409, Get("/mode/orders").code());
  EXPECT_EQ((json{{"mode", "READWRITE"}}), Get("/mode/orders?defaultToGlobal=true").body);
  EXPECT_EQ((json{{"mode", "READONLY"}}), Put("/mode/orders", R"({"mode":"READONLY"})").body);
  EXPECT_EQ(42205, Post("/subjects/orders/versions", kOrder).code());
  EXPECT_EQ((json{{"mode", "READONLY"}}), Delete("/mode/orders").body);
  EXPECT_EQ(40401, Delete("/mode/orders").code());
  EXPECT_EQ(42204, Put("/mode", R"({"mode":"SOME"})").code());
  Post("/subjects/orders/versions", kOrder);
  EXPECT_EQ(42205, Put("/mode", R"({"mode":"IMPORT"})").code());
  EXPECT_EQ(200, Put("/mode?force=true", R"({"mode":"IMPORT"})").status);
  const json imported = {{"schema", kOrderWithDefault}, {"id", 40}, {"version", 3}};
  EXPECT_EQ((json{{"id", 40}, {"version", 3}}),
            PostRaw("/subjects/imported/versions", imported.dump()).body);
}

TEST_F(HandlersTest, ConfigIsChangedPartByPart) {
  EXPECT_EQ(40401, Delete("/config/orders").code());
  Put("/config/orders", R"({"compatibility":"full"})");
  Put("/config/orders", R"({"normalize":true,"compatibilityGroup":"major"})");
  EXPECT_EQ(
      (json{{"compatibilityLevel", "FULL"}, {"normalize", true}, {"compatibilityGroup", "major"}}),
      Get("/config/orders").body);
  EXPECT_EQ(422, Put("/config", R"({"alias":7})").code());
  EXPECT_EQ("FULL", Delete("/config/orders").body["compatibilityLevel"]);
  EXPECT_EQ(40408, Get("/config/orders").code());
  Put("/config", R"({"compatibility":"NONE"})");
  EXPECT_EQ((json{{"compatibilityLevel", "NONE"}}), Delete("/config").body);
  EXPECT_EQ((json{{"compatibilityLevel", "BACKWARD"}}), Get("/config").body);
}

TEST_F(HandlersTest, NormalizeMakesOneOfWhatDiffersInFormOnly) {
  const std::string one = R"({"type":"record","name":"R","namespace":"n","fields":[],"b":1,"a":2})";
  const std::string other = R"({"type":"record","name":"n.R","fields":[],"a":2,"b":1})";
  Post("/subjects/s/versions?normalize=true", one);
  EXPECT_EQ(1, Post("/subjects/s", other).body["id"]);
  EXPECT_EQ(R"({"name":"n.R","type":"record","fields":[],"a":2,"b":1})",
            Get("/schemas/ids/1").body["schema"]);
}

TEST_F(HandlersTest, NormalizingIsDecidedAtTheEndOfTheLog) {
  SubjectConfig normalizing;
  normalizing.normalize = true;
  store_.WriteElsewhere(ConfigRecord{"s", normalizing});
  Post("/subjects/s/versions", R"({"type":"record","name":"n.R","fields":[],"b":1,"a":2})");
  EXPECT_EQ(R"({"name":"n.R","type":"record","fields":[],"a":2,"b":1})",
            Get("/schemas/ids/1").body["schema"]);
}

TEST_F(HandlersTest, OtherMethodsTypesAndContextsAreRefused) {
  EXPECT_EQ(405, Get("/subjects/orders").code());
  EXPECT_EQ(405, Put("/subjects", "{}").code());
  const json body = {{"schema", kOrder}};
  EXPECT_EQ(415, http_->Post("/subjects/s/versions", body.dump(), "text/html")->status);
  EXPECT_EQ(200, http_->Post("/subjects/s/versions", body.dump(), "application/json")->status);
  EXPECT_EQ(42208, Post("/subjects/:.lab:/versions", kOrder).code());
  EXPECT_EQ(42208, Post("/subjects/:*:s/versions", kOrder).code());
  EXPECT_EQ(400, Get("/contexts/a:b/subjects").code());
  EXPECT_EQ(1, Post("/subjects/:.:s", kOrder).body["id"]) << "the default context";
  EXPECT_EQ(json({"."}), Get("/contexts").body);
  EXPECT_EQ(json({"AVRO", "JSON", "PROTOBUF"}), Get("/schemas/types").body);
  EXPECT_EQ("memory", Get("/v1/metadata/id").body["scope"]["clusters"]["kafka-cluster"]);
}

TEST_F(HandlersTest, HostileSchemasAreRefused) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"type":"array","items":)";
  deep += "\"int\"" + std::string(100'000, '}');
  EXPECT_EQ(42209, Post("/subjects/s/versions", deep).code()) << "of more than 1 MiB";
  // As deep as is accepted, through everything that walks types or JSON.
  std::string types = "\"int\"";
  for (int i = 0; i < 240; ++i) {
    types = R"({"type":"record","name":"R)" + std::to_string(i) +
            R"(","fields":[{"name":"f","type":["null",)" + types + "]}]}";
  }
  const std::string json_values = std::string(1990, '[') + std::string(1990, ']');
  for (const std::string& text : {types, R"({"type":"int","x":)" + json_values + "}"}) {
    const std::string subject = "/subjects/deep" + std::to_string(text.size());
    EXPECT_EQ(200, Post(subject + "/versions?normalize=true", text).status);
    EXPECT_EQ(200, Post(subject + "?normalize=true", text).status);
    EXPECT_EQ(200, Post("/compatibility" + subject + "/versions/latest", text).status);
    EXPECT_EQ(200, Get(subject + "/versions/1?format=resolved").status);
  }
  EXPECT_EQ(42201, Post("/subjects/s/versions", std::string(100'000, '[')).code());
  EXPECT_EQ(400, PostRaw("/subjects/s/versions", std::string(100'000, '[')).code());
  EXPECT_EQ(413, PostRaw("/subjects/s/versions", std::string(20 << 20, ' ')).code());
}

class SecuredTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Users "reader" and "writer", each with its name as its password.
    AddRoutes(server_, store_, {},
              *Users::Parse("reader:$6$salt$UiPzsBvSmPQHksMnLshRq3CUjzRFMfQaAOdGPhGX"
                            "Bi2jrZHYhSKQI1fnBD/oljr6StLBrFlO4wMIHCls.qxgF0:reader\n"
                            "# Comments and empty lines.\n\n"
                            "writer:$6$salt$TGnJ4vCTia0UwUnN1N9JwkGKhoQkADTSkhmLTSTE"
                            "AkfzX3.SdJSiegcP0vM7WYhvk/7oSbREGRaWYP7hmyIMN1:writer  # here too\n"));
    ASSERT_TRUE(server_.Start().ok());
  }
  int Status(const std::string& user, const std::string& password, const std::string& method) {
    auto http = *HttpClient::Open("http://127.0.0.1:" + std::to_string(server_.port()),
                                  Millis{5000}, {user, password});
    const std::string body = json{{"schema", kOrder}}.dump();
    return method == "GET" ? http.Get("/subjects")->status
                           : http.Post("/subjects/s/versions", body, kMediaType)->status;
  }

  simulate::SchemaLog store_;
  HttpServer server_{{.listen = "127.0.0.1:0"}};
};

TEST_F(SecuredTest, RolesSayWhoMayWrite) {
  EXPECT_EQ(401, Status("", "", "GET"));
  EXPECT_EQ(401, Status("reader", "wrong", "GET"));
  EXPECT_EQ(401, Status("nobody", "reader", "GET"));
  EXPECT_EQ(200, Status("reader", "reader", "GET"));
  EXPECT_EQ(200, Status("reader", "reader", "GET")) << "from what is remembered";
  EXPECT_EQ(403, Status("reader", "reader", "POST"));
  EXPECT_EQ(200, Status("writer", "writer", "POST"));
}

TEST(UsersTest, BadFilesAreRefusedByLine) {
  for (const char* text : {"", "a", "a:b:reader", "a:$6$salt$x:admin", ":$6$salt$x:reader"}) {
    EXPECT_TRUE(Users::Parse(text).status().IsInvalid()) << text;
  }
}

TEST_F(HandlersTest, AClientResolvesReferencesInTheirContext) {
  const std::string item = R"({"type":"record","name":"Item","fields":[]})";
  const std::string cart =
      R"({"type":"record","name":"Cart","fields":[{"name":"item","type":"Item"}]})";
  ASSERT_TRUE(client_->Register("item", R"("int")").ok());
  ASSERT_TRUE(client_->Register(":.lab:item", item).ok());
  ASSERT_TRUE(client_->Register(":.lab:cart", cart, {{"Item", "item", 1}}).ok());
  const auto is_whole = [&](const Result<RegisteredSchema>& schema) {
    ASSERT_TRUE(schema.ok()) << schema.status();
    EXPECT_TRUE(avro::Schema::Parse(schema->schema).ok()) << schema->schema;
  };
  is_whole(client_->Latest(":.lab:cart"));
  EXPECT_TRUE(
      avro::Schema::Parse(*client_->Inline(":.lab:other", cart, {{"Item", "item", 1}})).ok());
  EXPECT_TRUE(
      avro::Schema::Parse(*client_->Inline("other", cart, {{"Item", ":.lab:item", 1}})).ok());
  // A registry whose URL names the context, and one that finds its ids in the default one.
  config_.url += "/contexts/.lab";
  const auto in_context = *Client::Open(config_);
  EXPECT_EQ(LookUpOutcome::kFound, in_context->ById(2).outcome) << in_context->ById(2).detail;
  is_whole(in_context->ById(2).schema);
  ASSERT_TRUE(client_->Register("plain", cart, {{"Item", ":.lab:item", 1}}).ok());
  is_whole(client_->ById(2).schema);
}

// As in Confluent's registry (getSchemaKeyUsingContexts of release 7.9).
TEST_F(HandlersTest, AnIdIsThatOfTheSubjectAsked) {
  const std::string first = R"("int")", second = R"("long")", third = R"("string")";
  Post("/subjects/a/versions", first);
  Post("/subjects/:.lab:b/versions", second);
  Post("/subjects/:.test:c/versions", third);
  Post("/subjects/:.test:d/versions", R"("boolean")");
  const auto schema = [&](const std::string& query) {
    const Answer answer = Get("/schemas/ids/1" + query);
    return answer.status == 200 ? answer.body["schema"].get<std::string>()
                                : std::to_string(answer.code());
  };
  EXPECT_EQ(first, schema(""));
  EXPECT_EQ(first, schema("?subject=a"));
  EXPECT_EQ(second, schema("?subject=b"));
  EXPECT_EQ(third, schema("?subject=c"));
  EXPECT_EQ(first, schema("?subject=nope"));
  EXPECT_EQ(second, schema("?subject=:.lab:"));
  EXPECT_EQ(third, schema("?subject=:.test:c"));
  EXPECT_EQ("40403", schema("?subject=:.test:d"));
  EXPECT_EQ("40403", schema("?subject=:.none:"));
  EXPECT_EQ(40403, Get("/schemas/ids/2").code()) << "it is only in .test";
  EXPECT_EQ(json({":.test:c"}), Get("/schemas/ids/1/subjects?subject=c").body);
}

}  // namespace
}  // namespace shopstream::registry
