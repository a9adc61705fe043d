#include <utility>

#include "registry/api.h"

// Schemas by their id.
namespace shopstream::registry {

using nlohmann::json;

RestReply Api::Impl::ById(const std::string& id_text,
                          const std::function<json(const State&, const SchemaRecord&)>& answer) {
  const auto id = ParseInt(id_text);
  if (!id.has_value()) return NotFound();
  std::optional<json> found;
  const auto failure = LookTwice([&](const State& state) {
    const SchemaRecord* record = state.FindId(*id);
    if (record != nullptr) found = answer(state, *record);
    return found.has_value();
  });
  if (failure.has_value()) return *failure;
  if (!found.has_value()) {
    return RestError{kSchemaNotFound, "Schema " + id_text + " not found"};
  }
  return *std::move(found);
}

RestReply Api::Impl::GetById(const HttpRequest& request) {
  const bool with_max = IsTrue(request, "fetchMaxId");
  return ById(request.captures.at(0), [&](const State& state, const SchemaRecord& record) {
    json out = SchemaToJson(record);
    if (with_max) out["maxId"] = state.last_id();
    return out;
  });
}

RestReply Api::Impl::GetSchemaById(const HttpRequest& request) {
  return ById(request.captures.at(0),
              [](const State&, const SchemaRecord& record) { return SchemaAlone(record.schema); });
}

RestReply Api::Impl::GetSubjectsOfId(const HttpRequest& request) {
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  return ById(request.captures.at(0), [&](const State& state, const SchemaRecord& record) {
    std::vector<std::string> names;
    for (const auto& [subject, version] : state.UsesOf(record.id, which)) {
      if (names.empty() || names.back() != subject) names.push_back(subject);
    }
    CutToPage(request, &names);
    return json(names);
  });
}

RestReply Api::Impl::GetVersionsOfId(const HttpRequest& request) {
  const Which which = IsTrue(request, "deleted") ? Which::kAll : Which::kLive;
  return ById(request.captures.at(0), [&](const State& state, const SchemaRecord& record) {
    std::vector<SubjectVersion> uses = state.UsesOf(record.id, which);
    CutToPage(request, &uses);
    json out = json::array();
    for (const auto& [subject, version] : uses) {
      out.push_back({{"subject", subject}, {"version", version}});
    }
    return out;
  });
}

}  // namespace shopstream::registry
