#include "registry/handlers.h"

#include <algorithm>
#include <utility>

#include "base/http_query.h"
#include "base/http_router.h"
#include "registry/api.h"
#include "registry/media_type.h"

namespace shopstream::registry {

using nlohmann::json;

namespace {

constexpr const char* kFollowedRelease = "7.9.0";

RestError StoreFailure(const Status& status) {
  if (status.IsInvalid()) return {kSchemaTooLarge, status.message()};
  return {kStoreFailed, status.message()};
}

// Occupies one of the slots for requests that wait for Kafka.
class Place {
 public:
  Place(std::atomic<int>* taken, int most) : taken_(taken), free_(++*taken <= most) {}
  ~Place() { --*taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool free() const { return free_; }

 private:
  std::atomic<int>* taken_;
  bool free_;
};

RestError TooManyWait() {
  return {kBusy, "Too many requests wait for Kafka: try again in a moment"};
}

}  // namespace

std::optional<RestError> Api::Impl::CatchUp() {
  const Place place(&waiting, options.most_waiting);
  if (!place.free()) return TooManyWait();
  const Status caught_up = store.CatchUp(options.look_timeout);
  if (!caught_up.ok()) return StoreFailure(caught_up);
  return std::nullopt;
}

std::optional<RestError> Api::Impl::LookTwice(const std::function<bool(const State&)>& find) {
  bool found = false;
  store.Read([&](const State& state) { found = find(state); });
  if (found) return std::nullopt;
  if (auto failure = CatchUp()) return failure;
  store.Read([&](const State& state) { find(state); });
  return std::nullopt;
}

std::variant<Decision, RestError> Api::Impl::Write(
    const std::function<Decision(const State&)>& decide) {
  const Place place(&waiting, options.most_waiting);
  if (!place.free()) return TooManyWait();
  Decision decision;
  const Status written = store.Write(
      [&](const State& state) {
        decision = decide(state);
        return decision.records;
      },
      options.write_timeout);
  if (!written.ok()) return StoreFailure(written);
  if (decision.refusal.has_value()) return *decision.refusal;
  return decision;
}

RestReply Api::Impl::GetClusterId(const HttpRequest&) {
  return json{
      {"id", ""},
      {"scope",
       {{"path", json::array()},
        {"clusters",
         {{"kafka-cluster", store.ClusterId()}, {"schema-registry-cluster", "schema-registry"}}}}}};
}

// Not in Confluent's API: "ok", or "degraded" and the reason while reads are still served.
RestReply Api::Impl::GetHealth(const HttpRequest&) {
  Status healthy = store.Whole();
  if (healthy.ok()) healthy = store.Writable();
  if (healthy.ok()) return json{{"status", "ok"}};
  return json{{"status", "degraded"}, {"reason", healthy.message()}};
}

namespace {

// `ready`: only once the log has been read. `writes`: only for writers.
struct Endpoint {
  const char* method;
  const char* pattern;
  RestReply (*handle)(Api::Impl&, const HttpRequest&);
  bool ready = true;
  bool writes = false;
};

template <RestReply (Api::Impl::*kHandle)(const HttpRequest&)>
RestReply Call(Api::Impl& api, const HttpRequest& request) {
  return (api.*kHandle)(request);
}

RestReply GetRoot(Api::Impl&, const HttpRequest&) { return json::object(); }
RestReply GetTypes(Api::Impl&, const HttpRequest&) {
  return json::array({"AVRO", "JSON", "PROTOBUF"});
}
// Release 7.9 gives schemas no GUIDs, but some clients ask for them.
RestReply GetByGuid(Api::Impl&, const HttpRequest& request) {
  return RestError{kSchemaNotFound, "Schema " + request.captures.at(0) + " not found"};
}
RestReply GetRelease(Api::Impl&, const HttpRequest&) {
  return json{{"version", kFollowedRelease}, {"commitId", "shopstream"}};
}

// The first match is used.
constexpr Endpoint kEndpoints[] = {
    {"GET", "", &GetRoot, false},
    {"GET", "subjects", &Call<&Api::Impl::ListSubjects>},
    {"GET", "subjects/**/metadata", &Call<&Api::Impl::GetByMetadata>},
    {"GET", "subjects/**/versions", &Call<&Api::Impl::ListVersions>},
    {"POST", "subjects/**/versions", &Call<&Api::Impl::Register>, true, true},
    {"GET", "subjects/**/versions/*/schema", &Call<&Api::Impl::GetVersionSchema>},
    {"GET", "subjects/**/versions/*/referencedby", &Call<&Api::Impl::GetReferencedBy>},
    {"GET", "subjects/**/versions/*", &Call<&Api::Impl::GetVersion>},
    {"DELETE", "subjects/**/versions/*", &Call<&Api::Impl::DeleteVersion>, true, true},
    {"POST", "subjects/**", &Call<&Api::Impl::LookUp>},
    {"DELETE", "subjects/**", &Call<&Api::Impl::DeleteSubject>, true, true},
    {"GET", "schemas", &Call<&Api::Impl::ListSchemas>},
    {"GET", "schemas/types", &GetTypes, false},
    {"GET", "schemas/ids/*", &Call<&Api::Impl::GetById>},
    {"GET", "schemas/ids/*/schema", &Call<&Api::Impl::GetSchemaById>},
    {"GET", "schemas/ids/*/subjects", &Call<&Api::Impl::GetSubjectsOfId>},
    {"GET", "schemas/ids/*/versions", &Call<&Api::Impl::GetVersionsOfId>},
    {"GET", "schemas/guids/*", &GetByGuid},
    {"POST", "compatibility/subjects/**/versions/*", &Call<&Api::Impl::CheckOne>},
    {"POST", "compatibility/subjects/**/versions", &Call<&Api::Impl::CheckAll>},
    {"GET", "config", &Call<&Api::Impl::GetConfig>},
    {"PUT", "config", &Call<&Api::Impl::PutConfig>, true, true},
    {"DELETE", "config", &Call<&Api::Impl::DeleteConfig>, true, true},
    {"GET", "config/**", &Call<&Api::Impl::GetConfig>},
    {"PUT", "config/**", &Call<&Api::Impl::PutConfig>, true, true},
    {"DELETE", "config/**", &Call<&Api::Impl::DeleteConfig>, true, true},
    {"GET", "mode", &Call<&Api::Impl::GetMode>},
    {"PUT", "mode", &Call<&Api::Impl::PutMode>, true, true},
    {"GET", "mode/**", &Call<&Api::Impl::GetMode>},
    {"PUT", "mode/**", &Call<&Api::Impl::PutMode>, true, true},
    {"DELETE", "mode/**", &Call<&Api::Impl::DeleteMode>, true, true},
    {"GET", "contexts", &Call<&Api::Impl::GetContexts>},
    {"DELETE", "contexts/*", &Call<&Api::Impl::DeleteContext>, true, true},
    {"GET", "v1/metadata/id", &Call<&Api::Impl::GetClusterId>, false},
    {"GET", "v1/metadata/version", &GetRelease, false},
    {"GET", "health", &Call<&Api::Impl::GetHealth>},
};

// What a client makes up is no label.
constexpr char kNoRoute[] = "other";
std::string MethodLabel(const HttpRequest& request) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
  return std::ranges::find(kMethods, request.method) == std::end(kMethods) ? "other"
                                                                           : request.method;
}

// An orchestrator has no user.
bool IsProbe(const HttpRequest& head) {
  return head.raw_path == "/livez" || head.raw_path == "/readyz";
}

bool TakesABody(const HttpRequest& request) {
  return request.method == "POST" || request.method == "PUT";
}

}  // namespace

HttpReply Api::Impl::Counted(HttpReply reply, const HttpRequest& request,
                             const std::string& route) {
  requests.With({MethodLabel(request), route, std::to_string(reply.status)}).Add();
  return reply;
}

// The target with the subjects that it means.
Target Api::Impl::Rewrite(const Target& target) const {
  return RewriteAlias(target, [this](const std::string& subject) {
    std::string alias;
    store.Read([&](const State& state) {
      const SubjectConfig* config = subject.empty() ? nullptr : state.Config(subject);
      if (config != nullptr) alias = config->alias.value_or("");
    });
    return alias;
  });
}

RestReply Api::Impl::Route(HttpRequest& request, std::string* route) {
  const auto in_context = RewriteContext({request.raw_path, request.raw_query});
  if (!in_context) return RestError{kBadRequest, "Context name cannot contain a colon"};
  const Target target = Rewrite(*in_context);
  request.raw_path = target.path;
  request.raw_query = target.query;
  auto match = FindRoute(kEndpoints, request);
  if (match.route == nullptr && !match.path_known) return NotFound();
  if (match.route == nullptr) return RestError{405, "HTTP 405 Method Not Allowed"};
  *route = "/" + std::string(match.route->pattern);
  if (TakesABody(request) && !TakesMediaType(request.content_type)) {
    return RestError{415, "HTTP 415 Unsupported Media Type"};
  }
  const Status ready = match.route->ready ? store.Ready() : Status::OK();
  if (!ready.ok()) {
    return RestError{kStarting, "The registry is not ready: " + ready.message()};
  }
  request.captures = std::move(match.captures);
  return match.route->handle(*this, request);
}

HttpReply ToHttp(const RestReply& reply) {
  if (const auto* body = std::get_if<json>(&reply)) {
    return {200, DumpJson(*body), kMediaType};
  }
  if (const auto* body = std::get_if<PlainBody>(&reply)) return {200, body->text, kMediaType};
  const auto& error = std::get<RestError>(reply);
  const json body = {{"error_code", error.code}, {"message", error.message}};
  const int status = error.code >= 1000 ? error.code / 100 : error.code;
  HttpReply refusal{status, DumpJson(body), kMediaType};
  if (status == 503) refusal.headers.emplace_back("Retry-After", "1");
  return refusal;
}

Api::Api(Store& store, HandlerOptions options, Users users)
    : impl_(std::make_unique<Impl>(store, options, std::move(users))) {}
Api::~Api() = default;
Api::Api(Api&&) noexcept = default;

std::optional<HttpReply> Api::Gate(const HttpRequest& head) const {
  if (impl_->users.anyone() || IsProbe(head)) return std::nullopt;
  const auto verified = impl_->users.Authenticate(head.header("Authorization"));
  if (!verified.ok()) {
    return impl_->Counted(ToHttp(RestError{429, verified.status().message()}), head, kNoRoute);
  }
  const std::optional<Role>& role = *verified;
  if (!role.has_value()) {
    HttpReply reply = ToHttp(RestError{401, "Unauthorized"});
    reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"SchemaRegistry\"");
    return impl_->Counted(std::move(reply), head, kNoRoute);
  }
  HttpRequest request = head;
  const auto target = RewriteContext({head.raw_path, head.raw_query});
  if (target) request.raw_path = target->path;
  const auto match = FindRoute(kEndpoints, request);
  if (match.route == nullptr || !match.route->writes || *role == Role::kWriter) return std::nullopt;
  return impl_->Counted(
      ToHttp(RestError{40301, "User is denied operation Write: it has the role reader"}), head,
      "/" + std::string(match.route->pattern));
}

HttpReply Api::Reject(const RestError& error, const HttpRequest& request) const {
  return impl_->Counted(ToHttp(error), request, kNoRoute);
}

HttpReply Api::Handle(HttpRequest& request) const {
  const auto media_type = ChooseMediaType(request.header("Accept"));
  if (!media_type.has_value()) {
    return impl_->Counted(ToHttp(RestError{406, "HTTP 406 Not Acceptable"}), request, kNoRoute);
  }
  const BootClock::time_point begun = BootClock::now();
  std::string route = kNoRoute;
  HttpReply reply = ToHttp(impl_->Route(request, &route));
  reply.content_type = *media_type;
  impl_->request_seconds.With({MethodLabel(request), route}).Observe(BootClock::now() - begun);
  return impl_->Counted(std::move(reply), request, route);
}

void AddRoutes(HttpServer& server, Store& store, HandlerOptions options, Users users) {
  const auto api = std::make_shared<Api>(store, options, std::move(users));
  server.Before([api](const HttpRequest& head) { return api->Gate(head); });
  server.Otherwise([api](HttpRequest& request) { return api->Handle(request); });
  server.OnError([api](int status, const HttpRequest& request) {
    const std::string text = status == 413   ? "The body is too large: a schema has at most 1 MiB"
                             : status == 500 ? "Internal Server Error"
                                             : "HTTP " + std::to_string(status);
    return api->Reject({status, text}, request);
  });
}

}  // namespace shopstream::registry
