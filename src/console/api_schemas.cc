#include "console/api_schemas.h"

#include <memory>
#include <optional>
#include <utility>

#include "avro/schema.h"
#include "avro/schema_change.h"
#include "base/error_kind.h"
#include "base/json.h"
#include "console/not_allowed.h"
#include "registry/client.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;
using registry::RegisteredSchema;

// Their newest versions are asked for one after another.
constexpr size_t kMostDescribed = 200;
// Of a subject with more, the newest are shown.
constexpr size_t kMostVersions = 100;

Result<ordered_json> ListSubjects(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(const auto client, registry::Client::Open(config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto names, client->Subjects());
  ordered_json subjects = ordered_json::array();
  for (const std::string& name : names) {
    ordered_json row = {{"subject", name}, {"latest", nullptr}, {"id", nullptr}, {"type", nullptr}};
    if (subjects.size() < kMostDescribed) {
      const auto latest = client->Latest(name);
      if (latest.status().IsKeyError()) continue;  // Deleted meanwhile.
      ARROW_RETURN_NOT_OK(latest);
      row["latest"] = latest->version;
      row["id"] = latest->id;
      row["type"] = latest->schema_type;
    } else {
      row["latest_unknown"] = "only the first " + std::to_string(kMostDescribed) + " are asked for";
    }
    subjects.push_back(std::move(row));
  }
  ordered_json answer = {{"subjects", std::move(subjects)}};
  if (answer["subjects"].empty()) {
    answer["remedy"] = "shopstream schema register schemas/purchase_event.avsc";
  }
  return answer;
}

// What changed from one version to the next, in words; or why they cannot be compared.
ordered_json ChangeOf(const RegisteredSchema& before, const RegisteredSchema& after) {
  const auto parse = [](const RegisteredSchema& one) -> Result<avro::Schema> {
    if (one.schema_type != "AVRO") {
      return Status::Invalid("version ", one.version, " is ", one.schema_type, ", not Avro");
    }
    return avro::Schema::ParseKept(one.schema);
  };
  const auto old_schema = parse(before), new_schema = parse(after);
  for (const auto* one : {&old_schema, &new_schema}) {
    if (!one->ok()) return {{"change_unknown", one->status().message()}};
  }
  const avro::SchemaChange change = avro::CompareSchemas(*old_schema, *new_schema);
  return {{"change", avro::ToJson(change)}};
}

ordered_json VersionAnswer(const RegisteredSchema& schema) {
  ordered_json references = ordered_json::array();
  for (const auto& one : schema.references) {
    references.push_back({{"name", one.name}, {"subject", one.subject}, {"version", one.version}});
  }
  return {{"version", schema.version},
          {"id", schema.id},
          {"type", schema.schema_type},
          {"schema", schema.raw},
          {"references", std::move(references)}};
}

Result<ordered_json> ShowSubject(const Config& config, const std::string& subject) {
  ARROW_ASSIGN_OR_RAISE(const auto client, registry::Client::Open(config.registry));
  auto versions = client->Versions(subject);
  if (versions.status().IsKeyError()) {
    return ordered_json{{"subject", subject},
                        {"exists", false},
                        {"reason", "the registry has no subject " + subject},
                        {"remedy", "shopstream schema register FILE --subject " + subject}};
  }
  ARROW_RETURN_NOT_OK(versions);
  ordered_json answer = {{"subject", subject}, {"exists", true}, {"versions_left_out", 0}};
  ARROW_ASSIGN_OR_RAISE(answer["level"], client->Level(subject));
  if (versions->size() > kMostVersions) {
    const auto more = static_cast<int64_t>(versions->size() - kMostVersions);
    versions->erase(versions->begin(), versions->begin() + more);
    answer["versions_left_out"] = more;
  }
  ordered_json& list = answer["versions"] = ordered_json::array();
  std::optional<RegisteredSchema> before;
  for (const int32_t version : *versions) {
    ARROW_ASSIGN_OR_RAISE(auto schema, client->Version(subject, version));
    ordered_json row = VersionAnswer(schema);
    if (before) row.update(ChangeOf(*before, schema));
    list.push_back(std::move(row));
    before = std::move(schema);
  }
  return answer;
}

Result<ordered_json> CheckSchema(const Config& config, const std::string& subject,
                                 const nlohmann::json& body) {
  const nlohmann::json text = body.value("schema", nlohmann::json());
  if (!text.is_string()) return Status::Invalid("the check's 'schema' is the text of a schema");
  ordered_json answer = {{"subject", subject}};
  const auto pasted = avro::Schema::Parse(text.get<std::string>());
  if (!pasted.ok()) {
    answer["valid"] = false;
    answer["reasons"] = {pasted.status().message()};
    return answer;
  }
  ARROW_ASSIGN_OR_RAISE(const auto client, registry::Client::Open(config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto verdict,
                        client->CheckCompatible(subject, text.get<std::string>()));
  answer["valid"] = true;
  answer["compatible"] = verdict.compatible;
  answer["first_version"] = verdict.first_version;
  answer["level"] = verdict.level;
  answer["versions"] = verdict.versions;
  answer["reasons"] = verdict.reasons;
  if (verdict.first_version) return answer;
  ARROW_ASSIGN_OR_RAISE(const auto latest, client->Latest(subject));
  RegisteredSchema after;
  after.schema = text.get<std::string>();
  answer.update(ChangeOf(latest, after));
  return answer;
}

}  // namespace

std::vector<ApiRoute> SchemaRoutes(const World& world) {
  return {
      {"GET", "/api/subjects", "Subjects of the schema registry with their newest versions",
       Read([&world](const ApiRequest&) { return AsState(ListSubjects(world.config)); })},
      {"GET", "/api/subjects/*", "A subject's versions, and what each changed, in words",
       Read([&world](const ApiRequest& request) {
         return AsState(ShowSubject(world.config, request.http.captures.at(0)));
       })},
      {"POST", "/api/subjects/*/check", "Whether a pasted schema could be the next version",
       Read([&world](const ApiRequest& request) {
         return AsState(CheckSchema(world.config, request.http.captures.at(0), request.body));
       })},
  };
}

}  // namespace shopstream::console
