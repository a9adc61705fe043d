#include "registry/api.h"

// Compatibility levels and modes.
namespace shopstream::registry {

using nlohmann::json;

namespace {

// With the default level if none is set.
json ToJson(const SubjectConfig& config) {
  json out = json::object();
  if (!config.others.empty()) out = ParseJson(config.others);
  for (const auto& [name, member] : kConfigMembers.texts) {
    if ((config.*member).has_value()) out[name] = *(config.*member);
  }
  for (const auto& [name, member] : kConfigMembers.flags) {
    if ((config.*member).has_value()) out[name] = *(config.*member);
  }
  for (const auto& [name, member] : kConfigMembers.objects) {
    if (!(config.*member).empty()) out[name] = ParseJson(config.*member);
  }
  out["compatibilityLevel"] = Name(config.level.value_or(CompatibilityLevel::kBackward));
  return out;
}

}  // namespace

RestReply Api::Impl::GetConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const bool in_scope = subject.empty() || IsTrue(request, "defaultToGlobal");
  std::optional<json> found;
  store.Read([&](const State& state) {
    if (in_scope || state.Config(subject) != nullptr) found = ToJson(state.ConfigInScope(subject));
  });
  if (found.has_value()) return *found;
  return RestError{kNoSubjectLevel, "Subject '" + subject +
                                        "' does not have subject-level compatibility configured"};
}

RestReply Api::Impl::PutConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  if (!subject.empty()) {
    if (auto invalid = CheckScope(subject)) return *invalid;
  }
  const auto posted = ParsePostedConfig(request.body);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const PostedConfig& given = std::get<PostedConfig>(posted);
  const auto written = Write([&](const State& state) {
    const SubjectConfig* before = state.Config(subject);
    return DecideConfig(state, subject,
                        Updated(before == nullptr ? SubjectConfig{} : *before, given.config));
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return given.given;
}

RestReply Api::Impl::DeleteConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  json before;
  const auto written = Write([&](const State& state) {
    const SubjectConfig* config = state.Config(subject);
    if (config == nullptr && !subject.empty()) return Refuse(UnknownSubject(subject));
    before = ToJson(config == nullptr ? SubjectConfig{} : *config);
    return DecideConfig(state, subject, std::nullopt);
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return before;
}

RestReply Api::Impl::GetMode(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  std::optional<Mode> mode;
  store.Read([&](const State& state) {
    const bool in_scope = subject.empty() || IsTrue(request, "defaultToGlobal");
    mode = in_scope ? std::optional(state.ModeOf(subject)) : state.OwnMode(subject);
  });
  if (mode.has_value()) return json{{"mode", Name(*mode)}};
  return RestError{kNoSubjectMode,
                   "Subject '" + subject + "' does not have subject-level mode configured"};
}

RestReply Api::Impl::PutMode(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  if (!subject.empty()) {
    if (auto invalid = CheckScope(subject)) return *invalid;
  }
  const auto posted = ParsePostedMode(request.body);
  if (const auto* error = std::get_if<RestError>(&posted)) return *error;
  const auto mode = std::get<std::optional<Mode>>(posted);
  const bool force = IsTrue(request, "force");
  const auto written =
      Write([&](const State& state) { return DecideMode(state, subject, mode, force); });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json{{"mode", mode.has_value() ? json(Name(*mode)) : json()}};
}

RestReply Api::Impl::DeleteMode(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  std::optional<Mode> before;
  const auto written = Write([&](const State& state) {
    before = state.OwnMode(subject);
    if (before.has_value()) return DecideMode(state, subject, std::nullopt, false);
    return Refuse(UnknownSubject(subject));
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json{{"mode", Name(*before)}};
}

}  // namespace shopstream::registry
