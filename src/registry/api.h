#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "registry/decisions.h"
#include "registry/handlers.h"
#include "registry/posted.h"

// Shared by the handlers' files only.
namespace shopstream::registry {

struct Api::Impl {
  Impl(Store& given_store, HandlerOptions given_options, Users given_users)
      : store(given_store), options(given_options), users(std::move(given_users)) {}

  RestReply ListSubjects(const HttpRequest& request);
  RestReply DeleteSubject(const HttpRequest& request);
  RestReply LookUp(const HttpRequest& request);
  RestReply ListVersions(const HttpRequest& request);
  RestReply GetVersion(const HttpRequest& request);
  RestReply GetVersionSchema(const HttpRequest& request);
  RestReply GetReferencedBy(const HttpRequest& request);
  RestReply Register(const HttpRequest& request);
  RestReply DeleteVersion(const HttpRequest& request);
  RestReply ListSchemas(const HttpRequest& request);
  RestReply GetById(const HttpRequest& request);
  RestReply GetSchemaById(const HttpRequest& request);
  RestReply GetSubjectsOfId(const HttpRequest& request);
  RestReply GetVersionsOfId(const HttpRequest& request);
  RestReply CheckOne(const HttpRequest& request);
  RestReply CheckAll(const HttpRequest& request);
  RestReply GetConfig(const HttpRequest& request);
  RestReply PutConfig(const HttpRequest& request);
  RestReply DeleteConfig(const HttpRequest& request);
  RestReply GetMode(const HttpRequest& request);
  RestReply PutMode(const HttpRequest& request);
  RestReply DeleteMode(const HttpRequest& request);
  RestReply GetClusterId(const HttpRequest& request);
  RestReply GetHealth(const HttpRequest& request);

  // `find` searches memory and returns whether it found its answer. If not, it is repeated at the
  // end of the log: another registry may have written since. Nothing: no error.
  std::optional<RestError> LookTwice(const std::function<bool(const State&)>& find);
  std::optional<RestError> CatchUp();
  // Writes what `decide` requests, and returns its last decision.
  std::variant<Decision, RestError> Write(const std::function<Decision(const State&)>& decide);
  RestReply FindVersion(const HttpRequest& request, Which which, SchemaRecord* found);
  RestReply ById(const std::string& id_text,
                 const std::function<nlohmann::json(const State&, const SchemaRecord&)>& answer);
  RestReply Check(const HttpRequest& request, std::optional<int32_t> only_version);
  std::variant<PostedSchema, RestError> ReadPosted(const HttpRequest& request,
                                                   const std::string& subject);
  RestReply Route(HttpRequest& request);

  Store& store;
  const HandlerOptions options;
  const Users users;
  std::atomic<int> waiting{0};
};

// The request's path and query.
std::optional<int32_t> ParseInt(std::string_view text);
// "latest" (or -1, as Confluent accepts) or a number from 1.
std::variant<int32_t, RestError> ParseVersion(const std::string& text);
bool IsTrue(const HttpRequest& request, const char* name);
// ?deleted= and ?deletedOnly=
Which WhichVersions(const HttpRequest& request);
// ":.:orders" is "orders", ":*:ord" as a prefix is "ord": only the default context exists.
std::string InDefaultContext(const std::string& subject);
// The first capture of the path; "" if the path has none.
std::string SubjectOf(const HttpRequest& request);
std::optional<RestError> CheckSubject(const std::string& subject);

// Schema, type, references, metadata and rules, as in every answer with a schema.
nlohmann::json SchemaToJson(const SchemaRecord& record);
// The same with subject, version and id.
nlohmann::json ToJson(const SchemaRecord& record);
// The schema itself as the answer; as a string if it is not JSON, such as a non-Avro schema.
nlohmann::json SchemaAlone(const std::string& text);

// ?offset=&limit= of a list.
template <typename T>
void CutToPage(const HttpRequest& request, std::vector<T>* list) {
  const int32_t offset = std::max(ParseInt(request.query("offset")).value_or(0), 0);
  const int32_t limit = ParseInt(request.query("limit")).value_or(-1);
  list->erase(list->begin(), list->begin() + std::min<ptrdiff_t>(offset, std::ssize(*list)));
  if (limit >= 0 && std::ssize(*list) > limit) list->resize(static_cast<size_t>(limit));
}

}  // namespace shopstream::registry
