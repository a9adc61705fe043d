#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/config.h"
#include "base/http_message.h"
#include "base/json_value.h"
#include "base/status.h"
#include "console/lake_tables.h"
#include "console/masking.h"
#include "observe/sampler.h"

// The console's API: JSON over HTTP, one table of routes per area (api_kafka.h, api_lake.h, ...).
// server.h serves them.
namespace shopstream::console {

// What handlers work with. It outlives the server.
struct World {
  const Config& config;
  observe::Sampler& sampler;
  const Masking& masking;
  LakeTables& tables;  // One for all, so that each snapshot is in memory once.
};

struct Receipt;

struct ApiRequest {
  const HttpRequest& http;  // `captures`: what the '*' of the route's pattern stand for, decoded.
  // Of a POST; always an object.
  const nlohmann::json& body;
  // Writes what became of a change that runs on after its answer, as the same user's. May be called
  // from any thread while the routes exist. Null: it is no change.
  std::function<void(Receipt)> record_end{};

  std::string Query(std::string_view name) const { return http.query(name); }
};

// Reads only. An error is answered with its message and the HTTP status of its kind.
using Read = std::function<Result<nlohmann::ordered_json>(const ApiRequest&)>;

// A read whose answer is not JSON, such as a download.
using RawRead = std::function<HttpReply(const ApiRequest&)>;

// What a change did, for the change log.
struct Receipt {
  std::string what;     // In the past tense: "reset the offsets of group a".
  std::string subject;  // The name of the changed object, such as the group's.
  JsonValue before, after;
  JsonValue answer;     // For the page.
  std::string error{};  // Why it was not done, or only in part; empty: it was.
};
// Changes something. The server calls it only if console.allow_changes permits it to the user, and
// writes the receipt, or the error, to the change log.
using Change = std::function<Result<Receipt>(const ApiRequest&)>;

// Routes with GET read. A route with POST may be a Read, if its parameters are too long for an
// address; all changes are POST.
struct ApiRoute {
  std::string method;
  std::string pattern;  // As in base/http_router.h: "/api/topics/*/partitions".
  std::string meaning;  // One line, for docs/console-api.md.
  std::variant<Read, RawRead, Change> handler;
};

// For a change that destroys: Invalid unless the body's "confirm" is `name`.
Status CheckConfirmed(const ApiRequest& request, std::string_view name);

}  // namespace shopstream::console
