#include "registry/api.h"

// Compatibility levels and modes.
namespace shopstream::registry {

using nlohmann::json;

namespace {

// Confluent calls the level "compatibility" in requests that set it and "compatibilityLevel" in
// answers.
json ToJson(const SubjectConfig& config, const char* level_name) {
  json out = json::object();
  if (!config.others.empty()) out = ParseJson(config.others);
  if (config.level.has_value()) out[level_name] = Name(*config.level);
  if (config.normalize.has_value()) out["normalize"] = *config.normalize;
  if (config.compatibility_group.has_value()) {
    out["compatibilityGroup"] = *config.compatibility_group;
  }
  return out;
}

}  // namespace

RestReply Api::Impl::GetConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  const bool or_global = subject.empty() || IsTrue(request, "defaultToGlobal");
  std::optional<json> found;
  store.Read([&](const State& state) {
    const SubjectConfig* config = state.Config(subject);
    if (config == nullptr && !or_global) return;
    if (config == nullptr) config = state.Config("");
    SubjectConfig told = config == nullptr ? SubjectConfig{} : *config;
    if (!told.level.has_value() && or_global) told.level = state.LevelOf(subject);
    found = ToJson(told, "compatibilityLevel");
  });
  if (found.has_value()) return *found;
  return RestError{kNoSubjectLevel, "Subject '" + subject +
                                        "' does not have subject-level compatibility configured"};
}

RestReply Api::Impl::PutConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  if (!request.captures.empty()) {
    if (auto invalid = CheckSubject(subject)) return *invalid;
  }
  SubjectConfig config;
  const auto written = Write([&](const State& state) {
    const SubjectConfig* before = state.Config(subject);
    auto changed = ParsePostedConfig(request.body, before == nullptr ? SubjectConfig{} : *before);
    if (auto* error = std::get_if<RestError>(&changed)) {
      Decision refused;
      refused.refusal = std::move(*error);
      return refused;
    }
    config = std::get<SubjectConfig>(changed);
    return DecideConfig(state, subject, config);
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return ToJson(config, "compatibility");
}

RestReply Api::Impl::DeleteConfig(const HttpRequest& request) {
  const std::string subject = SubjectOf(request);
  json before;
  const auto written = Write([&](const State& state) {
    const SubjectConfig* config = state.Config(subject);
    if (config == nullptr && !subject.empty()) {
      Decision refused;
      refused.refusal = UnknownSubject(subject);
      return refused;
    }
    SubjectConfig told = config == nullptr ? SubjectConfig{} : *config;
    if (subject.empty()) told.level = state.LevelOf("");
    before = ToJson(told, "compatibilityLevel");
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
  if (!request.captures.empty()) {
    if (auto invalid = CheckSubject(subject)) return *invalid;
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
    Decision refused;
    refused.refusal = UnknownSubject(subject);
    return refused;
  });
  if (const auto* error = std::get_if<RestError>(&written)) return *error;
  return json{{"mode", Name(*before)}};
}

}  // namespace shopstream::registry
