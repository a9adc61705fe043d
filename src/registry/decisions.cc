#include "registry/decisions.h"

#include <algorithm>
#include <utility>

#include "registry/context.h"

namespace shopstream::registry {

Decision Refuse(RestError refusal) {
  Decision decision;
  decision.refusal = std::move(refusal);
  return decision;
}

Decision RefuseReadOnly(const std::string& subject) {
  return Refuse({kNotPermitted, subject.empty() ? "The registry is in read-only mode"
                                                : "Subject " + subject + " is in read-only mode"});
}

bool IsReadOnly(const State& state, const std::string& subject) {
  const Mode mode = state.ModeOf(subject);
  return mode == Mode::kReadOnly || mode == Mode::kReadOnlyOverride;
}

RestError ReferenceExists(const std::string& subject, int32_t version) {
  return {kReferenceExists,
          "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=" + subject +
              ",version=" + std::to_string(version) + "}."};
}

bool IsReferenced(const State& state, const std::string& subject, int32_t version, Which which,
                  bool by_others_only) {
  return std::ranges::any_of(state.ReferencesTo(subject, version), [&](const auto& referrer) {
    return (!by_others_only || referrer.first != subject) &&
           state.Find(referrer.first, referrer.second, which) != nullptr;
  });
}

namespace {

// A subject without live versions keeps neither a config nor a mode.
void ForgetSettings(const State& state, const std::string& subject, std::vector<Record>* records) {
  if (state.Config(subject) != nullptr) records->push_back(ConfigRecord{subject, std::nullopt});
  if (state.OwnMode(subject).has_value()) records->push_back(ModeRecord{subject, std::nullopt});
}

}  // namespace

RestError UnknownSubject(const std::string& subject) {
  return {kSubjectNotFound, "Subject '" + subject + "' not found."};
}

RestError UnknownVersion(int32_t version) {
  return {kVersionNotFound, "Version " + std::to_string(version) + " not found."};
}

Decision DecideVersionDeletion(const State& state, const std::string& subject, int32_t version,
                               bool permanent) {
  const SchemaRecord* found =
      version == kLatest ? state.Latest(subject) : state.Find(subject, version, Which::kAll);
  if (found == nullptr) {
    return Refuse(state.HasSubject(subject, Which::kAll) ? UnknownVersion(version)
                                                         : UnknownSubject(subject));
  }
  const std::string name =
      "Subject '" + subject + "' Version " + std::to_string(found->version) + " was ";
  if (!permanent && found->deleted) {
    return Refuse(
        {kVersionSoftDeleted, name + "soft deleted.Set permanent=true to delete permanently"});
  }
  if (IsReadOnly(state, subject)) return RefuseReadOnly(subject);
  if (IsReferenced(state, subject, found->version, permanent ? Which::kAll : Which::kLive, false)) {
    return Refuse(ReferenceExists(subject, found->version));
  }
  if (permanent && !found->deleted) {
    return Refuse(
        {kVersionNotSoftDeleted, name + "not deleted first before being permanently deleted"});
  }
  Decision decision;
  decision.versions = {found->version};
  if (permanent) {
    decision.records = {state.Watermark(), SchemaTombstone{subject, found->version}};
  } else {
    SchemaRecord hidden = *found;
    hidden.deleted = true;
    decision.records = {hidden};
  }
  const bool last = state.Versions(subject, permanent ? Which::kAll : Which::kLive).size() == 1;
  if (last) ForgetSettings(state, subject, &decision.records);
  return decision;
}

Decision DecideSubjectDeletion(const State& state, const std::string& subject, bool permanent) {
  if (!state.HasSubject(subject, Which::kAll)) return Refuse(UnknownSubject(subject));
  if (!permanent && !state.HasSubject(subject)) {
    return Refuse({kSubjectSoftDeleted, "Subject '" + subject +
                                            "' was soft deleted.Set permanent=true to delete "
                                            "permanently"});
  }
  if (IsReadOnly(state, subject)) return RefuseReadOnly(subject);
  Decision decision;
  decision.versions = state.Versions(subject, permanent ? Which::kAll : Which::kLive);
  const auto referenced = [&](Which which) {
    return std::ranges::find_if(decision.versions, [&](int32_t version) {
      return IsReferenced(state, subject, version, which, true);
    });
  };
  if (const auto one = referenced(Which::kLive); one != decision.versions.end()) {
    return Refuse(ReferenceExists(subject, *one));
  }
  if (permanent && state.HasSubject(subject)) {
    return Refuse({kSubjectNotSoftDeleted, "Subject '" + subject +
                                               "' was not deleted first before being permanently "
                                               "deleted"});
  }
  const auto one = referenced(permanent ? Which::kAll : Which::kLive);
  if (one != decision.versions.end()) return Refuse(ReferenceExists(subject, *one));
  if (!permanent) {
    decision.records = {SubjectDeletion{subject, decision.versions.back()}};
    ForgetSettings(state, subject, &decision.records);
    return decision;
  }
  decision.records.push_back(state.Watermark());
  for (const int32_t version : decision.versions) {
    decision.records.push_back(SchemaTombstone{subject, version});
  }
  ForgetSettings(state, subject, &decision.records);
  return decision;
}

Decision DecideConfig(const State& state, const std::string& subject,
                      const std::optional<SubjectConfig>& config) {
  if (IsReadOnly(state, subject)) return RefuseReadOnly(subject);
  Decision decision;
  const SubjectConfig* stands = state.Config(subject);
  const bool same =
      config.has_value() ? stands != nullptr && *stands == *config : stands == nullptr;
  if (!same) decision.records = {ConfigRecord{subject, config}};
  return decision;
}

Decision DecideMode(const State& state, const std::string& subject, std::optional<Mode> mode,
                    bool force) {
  Decision decision;
  if (mode == Mode::kImport && state.ModeOf(subject) != Mode::kImport && !force) {
    const auto within = [&](const std::string& name) { return IsWithin(name, subject); };
    if (std::ranges::any_of(state.Subjects(), within)) {
      return Refuse({kNotPermitted, "Cannot import since found existing subjects"});
    }
    // Soft-deleted versions would conflict with imported ones.
    for (const std::string& name : state.Subjects(Which::kAll)) {
      if (!within(name)) continue;
      for (const int32_t version : state.Versions(name, Which::kAll)) {
        if (IsReferenced(state, name, version, Which::kLive, false)) {
          return Refuse(ReferenceExists(name, version));
        }
        decision.records.push_back(SchemaTombstone{name, version});
      }
    }
    if (!decision.records.empty()) {
      decision.records.insert(decision.records.begin(), state.Watermark());
    }
    decision.records.push_back(SubjectClearance{subject});
  }
  decision.records.push_back(ModeRecord{subject, mode});
  return decision;
}

Decision DecideContextDeletion(const State& state, const std::string& context) {
  const std::string scope = PrefixOf(context);
  const auto subjects = state.Subjects(Which::kAll);
  if (std::ranges::any_of(subjects, [&](const auto& name) { return IsWithin(name, scope); })) {
    return Refuse({kNotPermitted, "Context '" + context + "' has subjects: delete them first"});
  }
  Decision decision;
  if (state.HasContextRecord(context)) decision.records.push_back(ContextRecord{context, true});
  ForgetSettings(state, scope, &decision.records);
  return decision;
}

}  // namespace shopstream::registry
