#include <utility>

#include "registry/api.h"

// Schemas by their id.
namespace shopstream::registry {

using nlohmann::json;

namespace {

// Those in which an id may be meant: that of ?subject=, if it is not the default one, or all.
std::vector<std::string> ContextsMeant(const HttpRequest& request, const State& state) {
  const std::string context = ContextOf(request.query("subject"));
  if (context != kDefaultContext && context != "*") return {context};
  return state.Contexts();
}

}  // namespace

RestReply Api::Impl::ById(const HttpRequest& request,
                          const std::function<RestReply(const State&, const SchemaRecord&,
                                                        const std::string& context)>& answer) {
  const std::string& id_text = request.captures.at(0);
  const auto id = ParseInt(id_text);
  if (!id.has_value()) return NotFound();
  std::optional<RestReply> found;
  const auto failure = LookTwice([&](const State& state) {
    for (const std::string& context : ContextsMeant(request, state)) {
      const SchemaRecord* record = state.FindId(*id, context);
      if (record == nullptr) continue;
      found = answer(state, *record, context);
      return true;
    }
    return false;
  });
  if (failure.has_value()) return *failure;
  if (!found.has_value()) {
    return RestError{kSchemaNotFound, "Schema " + id_text + " not found"};
  }
  return *std::move(found);
}

RestReply Api::Impl::GetById(const HttpRequest& request) {
  const bool with_max = IsTrue(request, "fetchMaxId");
  return ById(
      request,
      [&](const State& state, const SchemaRecord& record, const std::string& context) -> RestReply {
        const auto formatted = Formatted(request, state, record);
        if (const auto* error = std::get_if<RestError>(&formatted)) return *error;
        json out = SchemaToJson(std::get<SchemaRecord>(formatted));
        if (with_max) out["maxId"] = state.last_id(context);
        return out;
      });
}

RestReply Api::Impl::GetSchemaById(const HttpRequest& request) {
  return ById(request,
              [&](const State& state, const SchemaRecord& record, const std::string&) -> RestReply {
                const auto formatted = Formatted(request, state, record);
                if (const auto* error = std::get_if<RestError>(&formatted)) return *error;
                return PlainBody{std::get<SchemaRecord>(formatted).schema};
              });
}

RestReply Api::Impl::GetSubjectsOfId(const HttpRequest& request) {
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  return ById(
      request,
      [&](const State& state, const SchemaRecord& record, const std::string& context) -> RestReply {
        std::vector<std::string> names;
        for (const auto& [subject, version] : state.UsesOf(record.id, which, context)) {
          if (names.empty() || names.back() != subject) names.push_back(subject);
        }
        CutToPage(request, &names);
        return json(names);
      });
}

RestReply Api::Impl::GetVersionsOfId(const HttpRequest& request) {
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  return ById(
      request,
      [&](const State& state, const SchemaRecord& record, const std::string& context) -> RestReply {
        std::vector<SubjectVersion> uses = state.UsesOf(record.id, which, context);
        CutToPage(request, &uses);
        json out = json::array();
        for (const auto& [subject, version] : uses) {
          out.push_back({{"subject", subject}, {"version", version}});
        }
        return out;
      });
}

}  // namespace shopstream::registry
