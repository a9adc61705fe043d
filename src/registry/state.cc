#include "registry/state.h"

#include <algorithm>
#include <limits>

#include "registry/canonical.h"

namespace shopstream::registry {
namespace {

// Far more than people write; bounds what one schema can inline.
constexpr size_t kMostReferences = 200;
constexpr int kMostReferenceDepth = 32;

bool IsMeant(const SchemaRecord& record, Which which) {
  return which == Which::kAll || record.deleted == (which == Which::kDeletedOnly);
}

}  // namespace

std::string IdentityOf(const SchemaRecord& record) {
  std::string identity = record.type == "AVRO"
                             ? NormalizedText(record.schema).ValueOr(record.schema)
                             : record.type + ":" + record.schema;
  for (const SchemaReference& one : record.references) {
    identity += "\n" + one.name + "\n" + one.subject + "\n" + std::to_string(one.version);
  }
  if (!record.metadata.empty()) identity += "\nmetadata " + record.metadata;
  if (!record.rule_set.empty()) identity += "\nrules " + record.rule_set;
  return identity;
}

Status State::Apply(const Record& record) {
  return std::visit([this](const auto& one) { return ApplyOne(one); }, record);
}

Status State::ApplyOne(const SchemaRecord& record) {
  const std::string identity = IdentityOf(record);
  const auto users = uses_.find(record.id);
  if (users != uses_.end() && !users->second.empty()) {
    const auto& [subject, version] = *users->second.begin();
    const bool replaced =
        users->second.size() == 1 && subject == record.subject && version == record.version;
    if (!replaced && FindEntry(subject, version)->identity != identity) {
      return Status::Invalid("id ", record.id, " already belongs to a schema other than version ",
                             record.version, " of subject ", record.subject);
    }
  }
  Forget(record.subject, record.version);
  subjects_[record.subject][record.version] = {record, identity};
  by_identity_.insert({identity, record.id});  // The first id stays the schema's.
  uses_[record.id].insert({record.subject, record.version});
  for (const SchemaReference& one : record.references) {
    referrers_[{one.subject, one.version}].insert({record.subject, record.version});
  }
  last_id_ = std::max(last_id_, record.id);
  return Status::OK();
}

Status State::ApplyOne(const SchemaTombstone& tombstone) {
  Forget(tombstone.subject, tombstone.version);
  return Status::OK();
}

Status State::ApplyOne(const ConfigRecord& record) {
  if (record.config.has_value()) {
    configs_[record.subject] = *record.config;
  } else {
    configs_.erase(record.subject);
  }
  return Status::OK();
}

Status State::ApplyOne(const ModeRecord& record) {
  if (record.mode.has_value()) {
    modes_[record.subject] = *record.mode;
  } else {
    modes_.erase(record.subject);
  }
  return Status::OK();
}

Status State::ApplyOne(const SubjectDeletion& deletion) {
  const auto found = subjects_.find(deletion.subject);
  if (found == subjects_.end()) return Status::OK();
  for (auto& [version, entry] : found->second) {
    if (version > deletion.up_to_version) break;
    entry.record.deleted = true;
  }
  return Status::OK();
}

Status State::ApplyOne(const SubjectClearance& clearance) {
  for (const std::string& subject : Subjects(Which::kAll)) {
    if (!clearance.subject.empty() && subject != clearance.subject) continue;
    for (const int32_t version : Versions(subject, Which::kDeletedOnly)) Forget(subject, version);
  }
  return Status::OK();
}

Status State::ApplyOne(const IdWatermark& watermark) {
  last_id_ = std::max(last_id_, watermark.last_id);
  return Status::OK();
}

// Removes the version, and its id if no other version uses it.
void State::Forget(const std::string& subject, int32_t version) {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return;
  const auto entry = found->second.find(version);
  if (entry == found->second.end()) return;
  const SchemaRecord& record = entry->second.record;
  for (const SchemaReference& one : record.references) {
    auto& referrers = referrers_[{one.subject, one.version}];
    referrers.erase({subject, version});
    if (referrers.empty()) referrers_.erase({one.subject, one.version});
  }
  auto& uses = uses_[record.id];
  uses.erase({subject, version});
  if (uses.empty()) {
    uses_.erase(record.id);
    const auto known = by_identity_.find(entry->second.identity);
    if (known != by_identity_.end() && known->second == record.id) by_identity_.erase(known);
  }
  found->second.erase(entry);
  if (found->second.empty()) subjects_.erase(found);
}

std::vector<std::string> State::Subjects(Which which) const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : subjects_) {
    // A subject with live versions is not deleted.
    if (which == Which::kDeletedOnly && HasSubject(name)) continue;
    if (HasSubject(name, which)) names.push_back(name);
  }
  return names;
}

bool State::HasSubject(const std::string& subject, Which which) const {
  const auto found = subjects_.find(subject);
  return found != subjects_.end() && std::ranges::any_of(found->second, [&](const auto& one) {
           return IsMeant(one.second.record, which);
         });
}

std::vector<int32_t> State::Versions(const std::string& subject, Which which) const {
  std::vector<int32_t> versions;
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return versions;
  for (const auto& [version, entry] : found->second) {
    if (IsMeant(entry.record, which)) versions.push_back(version);
  }
  return versions;
}

const State::Entry* State::FindEntry(const std::string& subject, int32_t version) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  const auto entry = found->second.find(version);
  return entry == found->second.end() ? nullptr : &entry->second;
}

const SchemaRecord* State::Find(const std::string& subject, int32_t version, Which which) const {
  const Entry* entry = FindEntry(subject, version);
  return entry != nullptr && IsMeant(entry->record, which) ? &entry->record : nullptr;
}

const SchemaRecord* State::Latest(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  const auto& versions = found->second;
  for (auto entry = versions.rbegin(); entry != versions.rend(); ++entry) {
    if (!entry->second.record.deleted) return &entry->second.record;
  }
  return nullptr;
}

const SchemaRecord* State::FindIdentity(const std::string& subject, const std::string& identity,
                                        Which which) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  const auto& versions = found->second;
  for (auto entry = versions.rbegin(); entry != versions.rend(); ++entry) {
    const auto& [record, identity_of_record] = entry->second;
    if (IsMeant(record, which) && identity_of_record == identity) return &record;
  }
  return nullptr;
}

const SchemaRecord* State::FindId(int32_t id) const {
  const auto found = uses_.find(id);
  if (found == uses_.end()) return nullptr;
  const auto& [subject, version] = *found->second.begin();
  return &FindEntry(subject, version)->record;
}

std::vector<SubjectVersion> State::UsesOf(int32_t id, Which which) const {
  std::vector<SubjectVersion> meant;
  const auto found = uses_.find(id);
  if (found == uses_.end()) return meant;
  for (const SubjectVersion& use : found->second) {
    if (Find(use.first, use.second, which) != nullptr) meant.push_back(use);
  }
  return meant;
}

std::optional<int32_t> State::IdOf(const std::string& identity) const {
  const auto found = by_identity_.find(identity);
  if (found == by_identity_.end()) return std::nullopt;
  return found->second;
}

std::vector<SubjectVersion> State::ReferencesTo(const std::string& subject, int32_t version) const {
  const auto found = referrers_.find({subject, version});
  if (found == referrers_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

int32_t State::NextVersion(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return 1;
  const int32_t last = found->second.rbegin()->first;
  return last < std::numeric_limits<int32_t>::max() ? last + 1 : 0;
}

const SubjectConfig* State::Config(const std::string& subject) const {
  const auto found = configs_.find(subject);
  return found == configs_.end() ? nullptr : &found->second;
}

CompatibilityLevel State::LevelOf(const std::string& subject) const {
  for (const SubjectConfig* config : {Config(subject), Config("")}) {
    if (config != nullptr && config->level.has_value()) return *config->level;
  }
  return CompatibilityLevel::kBackward;
}

bool State::NormalizesOf(const std::string& subject) const {
  for (const SubjectConfig* config : {Config(subject), Config("")}) {
    if (config != nullptr && config->normalize.has_value()) return *config->normalize;
  }
  return false;
}

std::optional<std::string> State::CompatibilityGroupOf(const std::string& subject) const {
  for (const SubjectConfig* config : {Config(subject), Config("")}) {
    if (config != nullptr && config->compatibility_group.has_value()) {
      return config->compatibility_group;
    }
  }
  return std::nullopt;
}

std::optional<Mode> State::OwnMode(const std::string& subject) const {
  const auto global = modes_.find("");
  if (global != modes_.end() && global->second == Mode::kReadOnlyOverride) return global->second;
  const auto found = modes_.find(subject);
  if (found == modes_.end()) return std::nullopt;
  return found->second;
}

Mode State::ModeOf(const std::string& subject) const {
  for (const std::string& name : {subject, std::string()}) {
    if (const auto own = OwnMode(name)) return *own;
  }
  return Mode::kReadWrite;
}

namespace {

class Resolver {
 public:
  Resolver(const State& state, Which which) : state_(state), which_(which) {}

  Status Add(const std::vector<SchemaReference>& references, int depth) {
    if (depth > kMostReferenceDepth) {
      return Status::Invalid("references go more than ", kMostReferenceDepth, " deep");
    }
    for (const SchemaReference& one : references) {
      if (!seen_.insert({one.subject, one.version}).second) continue;
      if (seen_.size() > kMostReferences) {
        return Status::Invalid("a schema refers to more than ", kMostReferences, " others");
      }
      const SchemaRecord* found = state_.Find(one.subject, one.version, which_);
      if (found == nullptr) {
        return Status::Invalid("No schema reference found for subject \"", one.subject,
                               "\" and version ", one.version);
      }
      ARROW_RETURN_NOT_OK(Add(found->references, depth + 1));
      definitions_.push_back(found->schema);
    }
    return Status::OK();
  }
  std::vector<std::string> Take() { return std::move(definitions_); }

 private:
  const State& state_;
  const Which which_;
  std::set<SubjectVersion> seen_;
  std::vector<std::string> definitions_;
};

}  // namespace

Result<std::vector<std::string>> ResolveReferences(const State& state,
                                                   const std::vector<SchemaReference>& references,
                                                   Which which) {
  Resolver resolver(state, which);
  ARROW_RETURN_NOT_OK(resolver.Add(references, 0));
  return resolver.Take();
}

}  // namespace shopstream::registry
