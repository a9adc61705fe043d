#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/metric.h"
#include "registry/context.h"
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
  RestReply GetByMetadata(const HttpRequest& request);
  RestReply GetContexts(const HttpRequest& request);
  RestReply DeleteContext(const HttpRequest& request);
  RestReply GetClusterId(const HttpRequest& request);
  RestReply GetHealth(const HttpRequest& request);

  // `find` searches memory and returns whether it found its answer. If not, it is repeated at the
  // end of the log: another registry may have written since. Nothing: no error.
  std::optional<RestError> LookTwice(const std::function<bool(const State&)>& find);
  std::optional<RestError> CatchUp();
  // Writes what `decide` requests, and returns its last decision.
  std::variant<Decision, RestError> Write(const std::function<Decision(const State&)>& decide);
  RestReply FindVersion(const HttpRequest& request, Which which, SchemaRecord* found);
  RestReply GetVersionAs(const HttpRequest& request, RestReply (*answer)(const SchemaRecord&));
  Target Rewrite(const Target& target) const;
  // `answer` gets a version that has the path's id, and its context.
  RestReply ById(const HttpRequest& request,
                 const std::function<RestReply(const State&, const SchemaRecord&,
                                               const std::string& context)>& answer);
  RestReply Check(const HttpRequest& request, std::optional<int32_t> only_version);
  std::variant<PostedSchema, RestError> ReadPosted(const HttpRequest& request,
                                                   const std::string& subject);
  // `route`: set to the endpoint's pattern, and left as it is if there is none.
  RestReply Route(HttpRequest& request, std::string* route);
  HttpReply Counted(HttpReply reply, const HttpRequest& request, const std::string& route);

  Store& store;
  const HandlerOptions options;
  const Users users;
  std::atomic<int> waiting{0};
  Counters requests{"shopstream_registry_requests_total",
                    "Requests answered, by method, endpoint and HTTP status",
                    {"method", "route", "status"}};
  Histograms request_seconds{"shopstream_registry_request_seconds",
                             "Time to answer a request once it was read, by method and endpoint",
                             {"method", "route"}};
};

// The request's path and query.
std::optional<int32_t> ParseInt(std::string_view text);
// "latest" (or -1, as Confluent accepts) or a number from 1.
std::variant<int32_t, RestError> ParseVersion(const std::string& text);
bool IsTrue(const HttpRequest& request, const char* name);
// ?deleted= and ?deletedOnly=
Which WhichVersions(const HttpRequest& request);
// The first capture of the path, qualified; "" if the path has none.
std::string SubjectOf(const HttpRequest& request);
// Whether the subject may hold schemas. Nothing: it may.
std::optional<RestError> CheckSubject(const std::string& subject);
// Whether the subject, or the start of a context's, may have settings. Nothing: it may.
std::optional<RestError> CheckScope(const std::string& subject);
// The subjects that a request to read may mean: one without a context is searched in all.
std::vector<std::string> SubjectsMeant(const State& state, const std::string& subject);

// Schema, type, references, metadata and rules, as in every answer with a schema.
nlohmann::json SchemaToJson(const SchemaRecord& record);
// The same with subject, version and id.
nlohmann::json ToJson(const SchemaRecord& record);
// The record with its text in the ?format= of the request: "resolved" inlines the references.
std::variant<SchemaRecord, RestError> Formatted(const HttpRequest& request, const State& state,
                                                const SchemaRecord& record);

// ?offset=&limit= of a list. A limit that is not positive or above `most`: `most`.
template <typename T>
void CutToPage(const HttpRequest& request, std::vector<T>* list,
               int32_t most = std::numeric_limits<int32_t>::max()) {
  const int32_t offset = std::max(ParseInt(request.query("offset")).value_or(0), 0);
  int32_t limit = ParseInt(request.query("limit")).value_or(-1);
  if (limit <= 0 || limit > most) limit = most;
  list->erase(list->begin(), list->begin() + std::min<ptrdiff_t>(offset, std::ssize(*list)));
  if (std::ssize(*list) > limit) list->resize(static_cast<size_t>(limit));
}

}  // namespace shopstream::registry
