#include <utility>

#include "registry/api.h"

// Schemas by their id.
namespace shopstream::registry {

using nlohmann::json;

namespace {

// The newest version of the subject that has the id or, without a name, any version of the context.
const SchemaRecord* FindUse(const State& state, int32_t id, const std::string& subject) {
  const QualifiedSubject parts = SplitSubject(subject);
  if (parts.name.empty()) return state.FindId(id, parts.context);
  const SchemaRecord* found = nullptr;
  for (const auto& [user, version] : state.UsesOf(id, Which::kAll, parts.context)) {
    if (user == subject) found = state.Find(user, version, Which::kAll);
  }
  return found;
}

// The version that has the id, as in Confluent's registry. Without ?subject= only the default
// context is searched. A subject without a context means, in this order, itself, the subject of
// that name in another context, and any in the default context; one with a context only itself.
const SchemaRecord* FindMeant(const State& state, int32_t id, const std::string& subject) {
  if (subject.empty()) return FindUse(state, id, subject);
  for (const std::string& name : SubjectsMeant(state, subject)) {
    if (const SchemaRecord* found = FindUse(state, id, name)) return found;
  }
  return ContextOf(subject) == kDefaultContext ? state.FindId(id) : nullptr;
}

}  // namespace

RestReply Api::Impl::ById(const HttpRequest& request,
                          const std::function<RestReply(const State&, const SchemaRecord&,
                                                        const std::string& context)>& answer) {
  const std::string& id_text = request.captures.at(0);
  const auto id = ParseInt(id_text);
  if (!id.has_value()) return NotFound();
  const std::string subject = NormalizeSubject(request.query("subject"));
  std::optional<RestReply> found;
  const auto failure = LookTwice([&](const State& state) {
    const SchemaRecord* record = FindMeant(state, *id, subject);
    if (record != nullptr) found = answer(state, *record, ContextOf(record->subject));
    return record != nullptr;
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
