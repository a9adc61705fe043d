#include "registry/decisions.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/json.h"
#include "registry/canonical.h"
#include "registry/compatibility_level.h"
#include "registry/references.h"

namespace shopstream::registry {
namespace {

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

Result<std::vector<SchemaReference>> PinReferences(const State& state,
                                                   std::vector<SchemaReference> references) {
  for (SchemaReference& one : references) {
    if (one.version != kLatest) continue;
    const SchemaRecord* latest = state.Latest(one.subject);
    if (latest == nullptr) {
      return Status::Invalid("No schema reference found for subject \"", one.subject,
                             "\" and version -1");
    }
    one.version = latest->version;
  }
  return references;
}

// The value of the group's property in the schema's metadata.
std::optional<std::string> GroupOf(const std::string& metadata, const std::string& property) {
  const auto parsed = ParseJson(metadata);
  if (!parsed.is_object() || !parsed.contains("properties")) return std::nullopt;
  const auto& properties = parsed["properties"];
  if (!properties.is_object() || !properties.contains(property)) return std::nullopt;
  if (!properties[property].is_string()) return std::nullopt;
  return properties[property].get<std::string>();
}

EarlierVersion ToEarlier(const State& state, const SchemaRecord& record) {
  EarlierVersion earlier{record.version, record.type, record.schema, ""};
  if (record.references.empty()) return earlier;
  const auto definitions = ResolveReferences(state, record.references, Which::kAll);
  if (!definitions.ok()) return earlier;  // Comparing it reports the missing type.
  earlier.self_contained = SelfContained(record.schema, *definitions).ValueOr("");
  return earlier;
}

RestError ReferenceExists(const std::string& subject, int32_t version) {
  return {kReferenceExists,
          "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=" + subject +
              ",version=" + std::to_string(version) + "}."};
}

// By live versions; for a permanent deletion also by soft-deleted ones.
bool IsReferenced(const State& state, const std::string& subject, int32_t version, Which which,
                  bool by_others_only) {
  return std::ranges::any_of(state.ReferencesTo(subject, version), [&](const auto& referrer) {
    return (!by_others_only || referrer.first != subject) &&
           state.Find(referrer.first, referrer.second, which) != nullptr;
  });
}

// A subject without versions has neither config nor mode of its own.
void ForgetSettings(const State& state, const std::string& subject, std::vector<Record>* records) {
  if (state.Config(subject) != nullptr) records->push_back(ConfigRecord{subject, std::nullopt});
  if (state.OwnMode(subject).has_value()) records->push_back(ModeRecord{subject, std::nullopt});
}

std::optional<RestError> CheckImport(const State& state, const std::string& subject,
                                     const PostedSchema& posted) {
  const Mode mode = state.ModeOf(subject);
  if (IsReadOnly(state, subject)) return RefuseReadOnly(subject).refusal;
  if (posted.id > 0 && mode != Mode::kImport) {
    return RestError{kNotPermitted, "Subject " + subject + " is not in import mode"};
  }
  if (posted.id <= 0 && mode != Mode::kReadWrite) {
    return RestError{kNotPermitted, "Subject " + subject + " is not in read-write mode"};
  }
  return std::nullopt;
}

// The candidate's id; 0 if the wanted one belongs to another schema, or none is left.
int32_t ChooseId(const State& state, const Candidate& candidate, int32_t wanted) {
  if (wanted <= 0) {
    const bool some_left = state.last_id() < std::numeric_limits<int32_t>::max();
    return state.IdOf(candidate.identity).value_or(some_left ? state.last_id() + 1 : 0);
  }
  const SchemaRecord* known = state.FindId(wanted);
  if (known == nullptr) return wanted;
  return IdentityOf(*known) == candidate.identity ? wanted : 0;
}

}  // namespace

RestError UnknownSubject(const std::string& subject) {
  return {kSubjectNotFound, "Subject '" + subject + "' not found."};
}

RestError UnknownVersion(int32_t version) {
  return {kVersionNotFound, "Version " + std::to_string(version) + " not found."};
}

Result<Candidate> MakeCandidate(const State& state, const std::string& subject,
                                const PostedSchema& posted) {
  Candidate candidate;
  SchemaRecord& record = candidate.record;
  record.subject = subject;
  ARROW_ASSIGN_OR_RAISE(record.references, PinReferences(state, posted.references));
  ARROW_ASSIGN_OR_RAISE(const auto definitions,
                        ResolveReferences(state, record.references, Which::kLive));
  ARROW_ASSIGN_OR_RAISE(const std::string whole, SelfContained(posted.text, definitions));
  ARROW_ASSIGN_OR_RAISE(candidate.schema, avro::Schema::Parse(whole));
  ARROW_ASSIGN_OR_RAISE(
      record.schema, posted.normalize ? NormalizedText(posted.text) : CanonicalText(posted.text));
  record.metadata = posted.metadata;
  record.rule_set = posted.rule_set;
  candidate.identity = IdentityOf(record);
  return candidate;
}

const SchemaRecord* FindCandidate(const State& state, const Candidate& candidate, Which which) {
  return state.FindIdentity(candidate.record.subject, candidate.identity, which);
}

std::vector<std::string> CheckCandidate(const State& state, const Candidate& candidate,
                                        std::optional<int32_t> only_version) {
  const std::string& subject = candidate.record.subject;
  const auto property = state.CompatibilityGroupOf(subject);
  std::vector<EarlierVersion> earlier;
  for (const int32_t version : state.Versions(subject)) {
    if (only_version.has_value() && version != *only_version) continue;
    const SchemaRecord& record = *state.Find(subject, version);
    if (property.has_value() &&
        GroupOf(record.metadata, *property) != GroupOf(candidate.record.metadata, *property)) {
      continue;
    }
    earlier.push_back(ToEarlier(state, record));
  }
  return CheckCompatible(state.LevelOf(subject), candidate.schema, earlier);
}

Decision DecideRegistration(const State& state, const std::string& subject,
                            const PostedSchema& posted) {
  auto made = MakeCandidate(state, subject, posted);
  if (!made.ok()) return Refuse({kInvalidSchema, "Invalid schema: " + made.status().message()});
  Candidate& candidate = *made;
  Decision decision;
  const SchemaRecord* stands = FindCandidate(state, candidate, Which::kLive);
  if (stands != nullptr && (posted.id <= 0 || posted.id == stands->id) &&
      (posted.version <= 0 || posted.version == stands->version)) {
    decision.schema = *stands;
    return decision;
  }
  if (const auto refusal = CheckImport(state, subject, posted)) return Refuse(*refusal);

  const bool import = state.ModeOf(subject) == Mode::kImport;
  const int32_t next = state.NextVersion(subject);
  if (!import) {
    std::string reasons;
    for (const std::string& reason : CheckCandidate(state, candidate, std::nullopt)) {
      reasons += (reasons.empty() ? "" : ", ") + reason;
    }
    if (!reasons.empty()) {
      return Refuse({kIncompatibleSchema,
                     "Schema being registered is incompatible with an earlier schema for subject "
                     "\"" +
                         subject + "\", details: [" + reasons + "]"});
    }
    if (posted.version > 0 && posted.version != next) {
      return Refuse({kInvalidSchema, "Version " + std::to_string(posted.version) +
                                         " is not one more than the previous version"});
    }
  }
  SchemaRecord& record = candidate.record;
  record.version = posted.version > 0 ? posted.version : next;
  if (record.version <= 0) {
    return Refuse({kNotPermitted, "Subject '" + subject + "' has no version left."});
  }
  record.id = ChooseId(state, candidate, posted.id);
  if (record.id == 0) {
    return Refuse({kNotPermitted, posted.id > 0
                                      ? "Overwrite new schema with id " +
                                            std::to_string(posted.id) + " is not permitted."
                                      : "No id is left to assign."});
  }
  // Only an import may overwrite a version. Records may still name the id that it replaces.
  if (state.Find(subject, record.version, Which::kAll) != nullptr) {
    if (IsReferenced(state, subject, record.version, Which::kAll, false)) {
      return Refuse(ReferenceExists(subject, record.version));
    }
    decision.records.push_back(IdWatermark{state.last_id()});
  }
  decision.schema = record;
  decision.records.push_back(record);
  // A soft-deleted version of the same schema is replaced by the new one, to list it only once.
  for (const int32_t version : state.Versions(subject, Which::kDeletedOnly)) {
    const bool same = state.Find(subject, version, Which::kAll)->id == record.id;
    if (same && version < record.version && state.ReferencesTo(subject, version).empty()) {
      decision.records.push_back(SchemaTombstone{subject, version});
    }
  }
  return decision;
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
    decision.records = {IdWatermark{state.last_id()}, SchemaTombstone{subject, found->version}};
    const bool last = state.Versions(subject, Which::kAll).size() == 1;
    if (last) ForgetSettings(state, subject, &decision.records);
  } else {
    SchemaRecord hidden = *found;
    hidden.deleted = true;
    decision.records = {hidden};
  }
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
    return decision;
  }
  decision.records.push_back(IdWatermark{state.last_id()});
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
    const bool any = subject.empty() ? !state.Subjects().empty() : state.HasSubject(subject);
    if (any) {
      return Refuse({kNotPermitted, "Cannot import since found existing subjects"});
    }
    // Soft-deleted versions would conflict with imported ones.
    for (const std::string& name : state.Subjects(Which::kAll)) {
      if (!subject.empty() && name != subject) continue;
      for (const int32_t version : state.Versions(name, Which::kAll)) {
        if (IsReferenced(state, name, version, Which::kLive, false)) {
          return Refuse(ReferenceExists(name, version));
        }
        decision.records.push_back(SchemaTombstone{name, version});
      }
    }
    if (!decision.records.empty()) {
      decision.records.insert(decision.records.begin(), IdWatermark{state.last_id()});
    }
    decision.records.push_back(SubjectClearance{subject});
  }
  decision.records.push_back(ModeRecord{subject, mode});
  return decision;
}

}  // namespace shopstream::registry
