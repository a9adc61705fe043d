#include "console/api_sql.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/number.h"
#include "console/lake_tables.h"
#include "console/query_number.h"
#include "console/reply.h"
#include "console/sql_runs.h"
#include "lake/store/uuid.h"

namespace shopstream::console {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int64_t kShownRows = 1000;

Result<std::string> TextOf(const json& body, const char* name) {
  const auto found = body.find(name);
  if (found != body.end() && found->is_string() && !found->get<std::string>().empty()) {
    return found->get<std::string>();
  }
  return Status::Invalid("the body has no text \"", name, "\"");
}

// {"bronze_events": 12}
Status AddVersions(const json& given, sql::ReadVersions* versions) {
  if (!given.is_object()) return Status::Invalid("\"versions\" is not an object");
  for (const auto& [name, version] : given.items()) {
    if (!version.is_number_integer() || version.get<int64_t>() < 0) {
      return Status::Invalid("\"versions\": the version of ", name, " is not a whole number");
    }
    versions->tables[name] = version.get<int64_t>();
  }
  return Status::OK();
}

Result<SqlRequest> ParseRun(const json& body, int64_t most_rows) {
  SqlRequest request;
  ARROW_ASSIGN_OR_RAISE(request.id, TextOf(body, "id"));
  ARROW_ASSIGN_OR_RAISE(request.sql, TextOf(body, "sql"));
  request.limit = std::min(kShownRows, most_rows);
  if (const auto limit = body.find("limit"); limit != body.end() && !limit->is_null()) {
    if (!limit->is_number_integer() || limit->get<int64_t>() < 1) {
      return Status::Invalid("\"limit\" is not a number of rows");
    }
    request.limit = std::min(limit->get<int64_t>(), most_rows);
  }
  if (const auto versions = body.find("versions"); versions != body.end() && !versions->is_null()) {
    ARROW_RETURN_NOT_OK(AddVersions(*versions, &request.versions));
  }
  if (const auto as_of = body.find("as_of_ms"); as_of != body.end() && !as_of->is_null()) {
    if (!as_of->is_number_integer()) return Status::Invalid("\"as_of_ms\" is not a time");
    request.versions.as_of_ms = as_of->get<int64_t>();
  }
  return request;
}

// The parameters sql, versions (as JSON) and as_of_ms.
Result<SqlRequest> ParseDownload(const ApiRequest& request) {
  SqlRequest parsed{.id = "download-" + lake::NewUuid(), .sql = request.Query("sql")};
  if (parsed.sql.empty()) return Status::Invalid("there is no parameter sql");
  if (const std::string text = request.Query("versions"); !text.empty()) {
    ARROW_RETURN_NOT_OK(AddVersions(ParseJson(text), &parsed.versions));
  }
  if (!request.Query("as_of_ms").empty()) {
    ARROW_ASSIGN_OR_RAISE(parsed.versions.as_of_ms,
                          QueryNumber(request, "as_of_ms", 0, 0, int64_t{1} << 53));
  }
  return parsed;
}

class SqlApi {
 public:
  explicit SqlApi(const World& world)
      : limits_(SqlLimits::From(world.config)),
        runs_(world.config, world.masking, &world.tables, limits_) {}

  Result<ordered_json> Run(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const SqlRequest run, ParseRun(request.body, limits_.rows));
    return runs_.Run(run);
  }
  Result<ordered_json> Cancel(const ApiRequest& request) {
    return ordered_json{{"cancelled", runs_.Cancel(request.http.captures.at(0))}};
  }
  Result<ordered_json> Schema(const ApiRequest&) { return runs_.Schema(); }
  HttpReply Download(const ApiRequest& request) {
    const auto run = ParseDownload(request);
    return run.ok() ? runs_.Download(*run) : ErrorReply(run.status());
  }

 private:
  const SqlLimits limits_;
  SqlRuns runs_;
};

}  // namespace

std::vector<ApiRoute> SqlRoutes(const World& world) {
  const auto api = std::make_shared<SqlApi>(world);
  return {{"POST", "/api/sql",
           "Runs one statement that only reads: id, sql, versions or as_of_ms, limit",
           Read([api](const ApiRequest& request) { return api->Run(request); })},
          {"POST", "/api/sql/*/cancel", "Cancels the statement of this id",
           Read([api](const ApiRequest& request) { return api->Cancel(request); })},
          {"GET", "/api/sql/schema", "Tables and columns, for completion",
           Read([api](const ApiRequest& request) { return api->Schema(request); })},
          {"GET", "/api/sql/download", "All rows of a statement as CSV: sql, versions, as_of_ms",
           RawRead([api](const ApiRequest& request) { return api->Download(request); })}};
}

}  // namespace shopstream::console
