#include "registry/candidate.h"

#include <algorithm>
#include <ranges>
#include <tuple>

#include "avro/node.h"
#include "registry/canonical.h"
#include "registry/compatibility_level.h"
#include "registry/context.h"
#include "registry/metadata.h"
#include "registry/references.h"
#include "registry/rule_set.h"

namespace shopstream::registry {
namespace {

Result<std::vector<SchemaReference>> PinReferences(const State& state, const std::string& parent,
                                                   std::vector<SchemaReference> references) {
  for (SchemaReference& one : references) {
    if (one.version != kLatest) continue;
    const SchemaRecord* latest = state.Latest(InContextOf(parent, one.subject));
    if (latest == nullptr) {
      return Status::Invalid("No schema reference found for subject \"", one.subject,
                             "\" and version -1");
    }
    one.version = latest->version;
  }
  return references;
}

std::vector<SchemaReference> Sorted(std::vector<SchemaReference> references) {
  std::ranges::sort(references, {}, [](const SchemaReference& one) {
    return std::tuple(one.name, one.subject, one.version);
  });
  const auto same = std::ranges::unique(references);
  references.erase(same.begin(), same.end());
  return references;
}

Status ReadAvro(const State& state, const PostedSchema& posted, bool is_new, Candidate* candidate) {
  SchemaRecord& record = candidate->record;
  ARROW_ASSIGN_OR_RAISE(const auto definitions,
                        ResolveReferences(state, record.subject, record.references,
                                          is_new ? Which::kLive : Which::kAll));
  ARROW_ASSIGN_OR_RAISE(const std::string whole, SelfContained(posted.text, definitions));
  const avro::ParseOptions options{.validate_defaults = posted.normalize && is_new};
  ARROW_ASSIGN_OR_RAISE(candidate->schema, avro::Schema::Parse(whole, options));
  const std::vector<std::string> types = TypesOf(record.references);
  if (posted.normalize) record.references = Sorted(std::move(record.references));
  ARROW_ASSIGN_OR_RAISE(record.schema, posted.normalize ? NormalizedText(posted.text, types)
                                                        : CanonicalText(posted.text, types));
  if (record.schema == posted.text) return Status::OK();
  // Nothing is stored that cannot be read again.
  ARROW_ASSIGN_OR_RAISE(const std::string again, SelfContained(record.schema, definitions));
  return avro::Schema::Parse(again, options).status();
}

// Whether the two are equal, except that only one may have the version property.
bool HasSameMetadata(const SchemaRecord& candidate, const SchemaRecord& version) {
  const auto own = PropertyOf(candidate.metadata, kVersionProperty);
  const auto stored = PropertyOf(version.metadata, kVersionProperty);
  if (own.has_value() == stored.has_value()) {
    return IsSameMetadata(candidate.metadata, version.metadata);
  }
  if (own.has_value() && *own != std::to_string(version.version)) return false;
  return IsSameMetadata(WithoutVersionProperty(candidate.metadata),
                        WithoutVersionProperty(version.metadata));
}

EarlierVersion ToEarlier(const State& state, const SchemaRecord& record) {
  EarlierVersion earlier{record.version, record.type, record.schema, ""};
  // Comparing one that does not resolve reports the missing type.
  if (!record.references.empty()) earlier.self_contained = Resolved(state, record);
  return earlier;
}

bool HasField(const Candidate& candidate, const std::string& name) {
  if (!candidate.schema.has_value()) return false;
  return std::ranges::any_of(candidate.schema->root().fields,
                             [&](const avro::Field& field) { return field.name == name; });
}

std::vector<std::string> CheckReserved(const Candidate& candidate, const SchemaRecord* before) {
  std::vector<std::string> reasons;
  const auto reserved = ReservedFieldsOf(candidate.record.metadata);
  const auto earlier =
      before == nullptr ? std::set<std::string>() : ReservedFieldsOf(before->metadata);
  for (const std::string& name : earlier) {
    if (!reserved.contains(name)) {
      reasons.push_back("{errorType:'RESERVED_FIELD_REMOVED', description:'The reserved field " +
                        name + " of the previous version is not reserved any more'}");
    }
  }
  for (const std::string& name : reserved) {
    if (HasField(candidate, name)) {
      reasons.push_back(
          "{errorType:'FIELD_CONFLICTS_WITH_RESERVED_FIELD', description:'The field " + name +
          " is reserved by the metadata property confluent:reserved'}");
    }
  }
  return reasons;
}

// What a candidate means, computed once for all versions that it is compared with.
class Meaning {
 public:
  Meaning(const State& state, const Candidate& candidate)
      : state_(state),
        candidate_(candidate),
        noted_(HasVersionProperty(candidate.record)),
        references_(Sorted(candidate.record.references)) {}

  bool IsThatOf(const SchemaRecord& version) {
    const SchemaRecord& record = candidate_.record;
    if (record.type != version.type) return false;
    const bool inlined = references_.empty() && !version.references.empty();
    const bool noted = noted_ || HasVersionProperty(version);
    if (!inlined && (!noted || references_ != Sorted(version.references))) return false;
    if (!HasSameMetadata(record, version) || !AreSameRules(record.rule_set, version.rule_set)) {
      return false;
    }
    if (record.type != "AVRO") return record.schema == version.schema;
    if (!identity_) identity_ = IdentityText(candidate_.schema->text());
    const auto stored = IdentityText(Resolved(state_, version));
    return identity_->ok() && stored.ok() && **identity_ == *stored;
  }

 private:
  static bool HasVersionProperty(const SchemaRecord& record) {
    return PropertyOf(record.metadata, kVersionProperty).has_value();
  }

  const State& state_;
  const Candidate& candidate_;
  const bool noted_;
  const std::vector<SchemaReference> references_;
  std::optional<Result<std::string>> identity_;  // Only if it is needed.
};

}  // namespace

Result<Candidate> MakeCandidate(const State& state, const std::string& subject,
                                const PostedSchema& posted, bool is_new) {
  Candidate candidate;
  SchemaRecord& record = candidate.record;
  record.subject = subject;
  record.type = posted.type;
  record.metadata = posted.metadata;
  record.rule_set = posted.rule_set;
  ARROW_ASSIGN_OR_RAISE(record.references, PinReferences(state, subject, posted.references));
  if (posted.type == "AVRO") {
    ARROW_RETURN_NOT_OK(ReadAvro(state, posted, is_new, &candidate));
  } else {
    record.schema = posted.text;
    if (posted.normalize) record.references = Sorted(std::move(record.references));
    ARROW_RETURN_NOT_OK(
        ResolveReferences(state, subject, record.references, is_new ? Which::kLive : Which::kAll)
            .status());
  }
  candidate.identity = IdentityOf(record);
  return candidate;
}

bool MeansVersion(const State& state, const Candidate& candidate, const SchemaRecord& version) {
  return Meaning(state, candidate).IsThatOf(version);
}

const SchemaRecord* FindCandidate(const State& state, const Candidate& candidate, Which which) {
  const std::string& subject = candidate.record.subject;
  if (const auto* found = state.FindIdentity(subject, candidate.identity, which)) return found;
  Meaning meaning(state, candidate);
  const std::vector<int32_t> versions = state.Versions(subject, which);
  for (const int32_t version : std::views::reverse(versions)) {
    const SchemaRecord* record = state.Find(subject, version, which);
    if (meaning.IsThatOf(*record)) return record;
  }
  return nullptr;
}

std::vector<std::string> CheckCandidate(const State& state, const Candidate& candidate,
                                        std::optional<int32_t> only_version) {
  const std::string& subject = candidate.record.subject;
  const SubjectConfig config = state.ConfigInScope(subject);
  const CompatibilityLevel level = state.LevelOf(subject);
  const bool validate_fields = config.validate_fields.value_or(false);
  std::vector<const SchemaRecord*> compared;
  const SchemaRecord* before = nullptr;
  for (const int32_t version : state.Versions(subject)) {
    if (only_version.has_value() && version != *only_version) continue;
    before = state.Find(subject, version);
    const auto& group = config.compatibility_group;
    if (group.has_value() &&
        PropertyOf(before->metadata, *group) != PropertyOf(candidate.record.metadata, *group)) {
      continue;
    }
    compared.push_back(before);
  }
  // Only the newest one unless the level is transitive; resolving the references of all costs.
  const bool all = IsTransitive(level) || compared.empty();
  std::vector<EarlierVersion> earlier;
  for (auto one = all ? compared.begin() : compared.end() - 1; one != compared.end(); ++one) {
    earlier.push_back(ToEarlier(state, **one));
  }
  std::vector<std::string> reasons;
  if (validate_fields) reasons = CheckReserved(candidate, before);
  const auto broken = candidate.schema.has_value()
                          ? CheckCompatible(level, *candidate.schema, earlier)
                          : CheckType(level, candidate.record.type, earlier);
  reasons.insert(reasons.end(), broken.begin(), broken.end());
  if (!reasons.empty()) {
    reasons.push_back(std::string("{validateFields: '") + (validate_fields ? "true" : "false") +
                      "', compatibility: '" + Name(level) + "'}");
  }
  return reasons;
}

}  // namespace shopstream::registry
