#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "kafka/single_log.h"
#include "registry/candidate.h"
#include "registry/context.h"
#include "registry/decisions.h"
#include "registry/metadata.h"
#include "registry/rule_set.h"

// What a registration does, in the order of Confluent's registry.
namespace shopstream::registry {
namespace {

Decision Invalid(const std::string& reason) { return Refuse(InvalidSchema(reason)); }

Decision Exists(const SchemaRecord& version, bool was_changed = false) {
  Decision decision;
  decision.schema = version;
  decision.was_changed = was_changed;
  return decision;
}

bool IsBlank(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isspace(c) != 0; });
}

std::optional<RestError> CheckMode(const State& state, const std::string& subject,
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

// The version that the request asks for, if it exists: that is answered in every mode.
const SchemaRecord* FindExisting(const State& state, const PostedSchema& posted,
                                 const Candidate& candidate) {
  const std::string& subject = candidate.record.subject;
  if (posted.version == kLatest) {
    const SchemaRecord* latest = state.Latest(subject);
    const bool same = latest != nullptr && MeansVersion(state, candidate, *latest);
    return same && (posted.id <= 0 || posted.id == latest->id) ? latest : nullptr;
  }
  const SchemaRecord* found = FindCandidate(state, candidate, Which::kLive);
  if (found == nullptr) return nullptr;
  if (posted.version == 0) return posted.id <= 0 || posted.id == found->id ? found : nullptr;
  if (posted.id != found->id) return nullptr;
  if (posted.version == found->version) return found;
  // An import may have stored the schema under several versions.
  const SchemaRecord* older = state.Find(subject, posted.version);
  const bool same =
      older != nullptr && older->id == found->id && IdentityOf(*older) == IdentityOf(*found);
  return same ? older : nullptr;
}

// Fills in what the request leaves out, and what the config adds. Whether anything was.
bool Complete(const State& state, const std::string& subject, PostedSchema* posted) {
  const SchemaRecord* latest = state.Latest(subject);
  const SubjectConfig config = state.ConfigInScope(subject);
  bool changed = false;
  if (IsBlank(posted->text) && latest != nullptr) {
    posted->text = latest->schema;
    posted->type = latest->type;
    posted->references = latest->references;
    changed = true;
  }
  std::string metadata = posted->metadata, rules = posted->rule_set;
  if (metadata.empty() && latest != nullptr) metadata = latest->metadata;
  if (rules.empty() && latest != nullptr) rules = latest->rule_set;
  metadata =
      MergeMetadata(MergeMetadata(config.default_metadata, metadata), config.override_metadata);
  rules = MergeRuleSets(MergeRuleSets(config.default_rule_set, rules), config.override_rule_set);
  if (posted->version != 0 || PropertyOf(metadata, kVersionProperty).has_value()) {
    metadata = WithVersionProperty(metadata, state.NextVersion(subject));
  }
  changed = changed || !metadata.empty() || !rules.empty();
  posted->metadata = std::move(metadata);
  posted->rule_set = std::move(rules);
  return changed;
}

// The candidate's id; 0 if the wanted one belongs to another schema, or none is left.
int32_t ChooseId(const State& state, const Candidate& candidate, int32_t wanted) {
  const std::string context = ContextOf(candidate.record.subject);
  if (wanted <= 0) {
    const int32_t last = state.last_id(context);
    const bool some_left = last < std::numeric_limits<int32_t>::max();
    return state.IdOf(candidate.identity, context).value_or(some_left ? last + 1 : 0);
  }
  const SchemaRecord* known = state.FindId(wanted, context);
  if (known == nullptr) return wanted;
  return IdentityOf(*known) == candidate.identity ? wanted : 0;
}

std::optional<RestError> CheckCompatible(const State& state, const Candidate& candidate) {
  std::string reasons;
  for (const std::string& reason : CheckCandidate(state, candidate, std::nullopt)) {
    reasons += (reasons.empty() ? "" : ", ") + reason;
  }
  if (reasons.empty()) return std::nullopt;
  return RestError{kIncompatibleSchema,
                   "Schema being registered is incompatible with an earlier schema for subject \"" +
                       candidate.record.subject + "\", details: [" + reasons + "]"};
}

// Sets the version and id of the record.
std::optional<RestError> Number(const State& state, const PostedSchema& posted, bool import,
                                Candidate* candidate) {
  SchemaRecord& record = candidate->record;
  const int32_t next = state.NextVersion(record.subject);
  if (posted.version > 0 && posted.version != next && !import) {
    return InvalidSchema("version " + std::to_string(posted.version) +
                         " is not one more than previous version");
  }
  record.version = posted.version > 0 ? posted.version : next;
  if (record.version <= 0) {
    return RestError{kNotPermitted, "Subject '" + record.subject + "' has no version left."};
  }
  record.id = ChooseId(state, *candidate, posted.id);
  if (record.id > 0) return std::nullopt;
  if (posted.id <= 0) return RestError{kNotPermitted, "No id is left to assign."};
  return RestError{kNotPermitted, "Overwrite new schema with id " + std::to_string(posted.id) +
                                      " is not permitted."};
}

// The records that make the numbered schema a version.
Decision Add(const State& state, const SchemaRecord& record) {
  Decision decision;
  const std::string& subject = record.subject;
  if (Serialize(record).value->size() > kafka::kMaxLogEntryBytes) {
    return Refuse({kSchemaTooLarge,
                   "The schema with its metadata and rules is larger than a record may be, " +
                       std::to_string(kafka::kMaxLogEntryBytes) + " bytes"});
  }
  // Only an import may overwrite a version. Records may still name the id that it replaces.
  if (state.Find(subject, record.version, Which::kAll) != nullptr) {
    if (IsReferenced(state, subject, record.version, Which::kAll, false)) {
      return Refuse(ReferenceExists(subject, record.version));
    }
    decision.records.push_back(state.Watermark());
  }
  const std::string context = ContextOf(subject);
  if (context != kDefaultContext && !state.HasContextRecord(context)) {
    decision.records.push_back(ContextRecord{context});
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

}  // namespace

Decision DecideRegistration(const State& state, const std::string& subject,
                            const PostedSchema& posted) {
  Result<Candidate> made = Status::Invalid("not made yet");
  if (!IsBlank(posted.text) && !state.ConfigInScope(subject).changes_schemas()) {
    made = MakeCandidate(state, subject, posted, /*is_new=*/false);
    if (!made.ok()) return Invalid(made.status().message());
    if (const auto* found = FindExisting(state, posted, *made)) return Exists(*found);
  }
  if (const auto refusal = CheckMode(state, subject, posted)) return Refuse(*refusal);
  const bool import = state.ModeOf(subject) == Mode::kImport;
  PostedSchema whole = posted;
  const bool changed = !import && Complete(state, subject, &whole);
  if (IsBlank(whole.text)) return Invalid("Empty schema");

  // A large schema takes long to read. A new one must not refer to deleted versions.
  if (!made.ok() || changed || posted.normalize || !whole.references.empty()) {
    made = MakeCandidate(state, subject, whole, /*is_new=*/posted.id <= 0);
    if (!made.ok()) return Invalid(made.status().message());
  }
  if (posted.version == 0) {
    const SchemaRecord* found = FindCandidate(state, *made, Which::kLive);
    if (found != nullptr && (posted.id <= 0 || posted.id == found->id)) {
      return Exists(*found, changed);
    }
  }
  if (!import) {
    if (const auto refusal = CheckCompatible(state, *made)) return Refuse(*refusal);
  }
  if (const auto refusal = Number(state, posted, import, &*made)) return Refuse(*refusal);
  Decision decision = Add(state, made->record);
  decision.was_changed = changed;
  return decision;
}

}  // namespace shopstream::registry
