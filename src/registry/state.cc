#include "registry/state.h"

#include <algorithm>

#include "registry/canonical.h"

namespace shopstream::registry {
namespace {

// What another registry stored need not be Avro, nor in our canonical form.
std::string CanonicalOf(const SchemaRecord& record) {
  if (record.type != "AVRO") return record.type + ":" + record.schema;
  return CanonicalText(record.schema).ValueOr(record.schema);
}

}  // namespace

Status State::Apply(const Record& record) {
  return std::visit([this](const auto& one) { return ApplyOne(one); }, record);
}

Status State::ApplyOne(const SchemaRecord& record) {
  const std::string canonical = CanonicalOf(record);
  const auto known = by_id_.find(record.id);
  if (known != by_id_.end() &&
      CanonicalOf({"", 0, 0, known->second.text, known->second.type, false}) != canonical) {
    return Status::Invalid("id ", record.id, " already stands for another schema than version ",
                           record.version, " of subject ", record.subject);
  }
  Forget(record.subject, record.version);
  Subject& subject = subjects_[record.subject];
  subject.versions[record.version] = {record, canonical};
  subject.last_version = std::max(subject.last_version, record.version);
  by_id_.insert({record.id, {record.schema, record.type}});
  by_text_.insert({canonical, record.id});  // The first id stays the schema's.
  uses_[record.id].insert({record.subject, record.version});
  last_id_ = std::max(last_id_, record.id);
  return Status::OK();
}

Status State::ApplyOne(const SchemaTombstone& tombstone) {
  Forget(tombstone.subject, tombstone.version);
  return Status::OK();
}

Status State::ApplyOne(const LevelRecord& record) {
  if (record.subject.empty()) {
    global_level_ = record.level.value_or(CompatibilityLevel::kBackward);
  } else if (record.level.has_value()) {
    levels_[record.subject] = *record.level;
  } else {
    levels_.erase(record.subject);
  }
  return Status::OK();
}

Status State::ApplyOne(const SubjectDeletion& deletion) {
  const auto found = subjects_.find(deletion.subject);
  if (found == subjects_.end()) return Status::OK();
  std::vector<int32_t> versions;
  for (auto& [version, entry] : found->second.versions) {
    if (version > deletion.up_to_version) break;
    entry.record.deleted = true;
    versions.push_back(version);
  }
  if (!deletion.for_good) return Status::OK();
  for (const int32_t version : versions) Forget(deletion.subject, version);
  return Status::OK();
}

// Takes the version out, and its id with the last use of it.
void State::Forget(const std::string& subject, int32_t version) {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return;
  const auto entry = found->second.versions.find(version);
  if (entry == found->second.versions.end()) return;
  const int32_t id = entry->second.record.id;
  auto& uses = uses_[id];
  uses.erase({subject, version});
  if (uses.empty()) {
    uses_.erase(id);
    by_id_.erase(id);
    const auto text = by_text_.find(entry->second.canonical);
    if (text != by_text_.end() && text->second == id) by_text_.erase(text);
  }
  found->second.versions.erase(entry);
}

std::vector<std::string> State::Subjects() const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : subjects_) {
    if (HasSubject(name)) names.push_back(name);
  }
  return names;
}

bool State::HasSubject(const std::string& subject) const { return Latest(subject) != nullptr; }

std::vector<int32_t> State::Versions(const std::string& subject) const {
  std::vector<int32_t> versions;
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return versions;
  for (const auto& [version, entry] : found->second.versions) {
    if (!entry.record.deleted) versions.push_back(version);
  }
  return versions;
}

const SchemaRecord* State::Find(const std::string& subject, int32_t version) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  const auto entry = found->second.versions.find(version);
  if (entry == found->second.versions.end() || entry->second.record.deleted) return nullptr;
  return &entry->second.record;
}

const SchemaRecord* State::Latest(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  const auto& versions = found->second.versions;
  for (auto entry = versions.rbegin(); entry != versions.rend(); ++entry) {
    if (!entry->second.record.deleted) return &entry->second.record;
  }
  return nullptr;
}

const SchemaRecord* State::FindText(const std::string& subject,
                                    const std::string& canonical) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  for (const auto& [version, entry] : found->second.versions) {
    if (!entry.record.deleted && entry.canonical == canonical) return &entry.record;
  }
  return nullptr;
}

const StoredSchema* State::FindId(int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

std::vector<std::pair<std::string, int32_t>> State::UsesOf(int32_t id) const {
  std::vector<std::pair<std::string, int32_t>> visible;
  const auto found = uses_.find(id);
  if (found == uses_.end()) return visible;
  for (const auto& use : found->second) {
    if (Find(use.first, use.second) != nullptr) visible.push_back(use);
  }
  return visible;
}

std::optional<int32_t> State::IdOf(const std::string& canonical) const {
  const auto found = by_text_.find(canonical);
  if (found == by_text_.end()) return std::nullopt;
  return found->second;
}

int32_t State::NextVersion(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  return found == subjects_.end() ? 1 : found->second.last_version + 1;
}

std::optional<CompatibilityLevel> State::SubjectLevel(const std::string& subject) const {
  const auto found = levels_.find(subject);
  if (found == levels_.end()) return std::nullopt;
  return found->second;
}

CompatibilityLevel State::LevelOf(const std::string& subject) const {
  return SubjectLevel(subject).value_or(global_level_);
}

std::vector<EarlierVersion> EarlierVersions(const State& state, const std::string& subject) {
  std::vector<EarlierVersion> earlier;
  for (const int32_t version : state.Versions(subject)) {
    const SchemaRecord* record = state.Find(subject, version);
    earlier.push_back({record->version, record->type, record->schema});
  }
  return earlier;
}

Decision DecideRegistration(const State& state, const std::string& subject,
                            const avro::Schema& schema, const std::string& canonical) {
  Decision decision;
  if (const SchemaRecord* stands = state.FindText(subject, canonical)) {
    decision.record = *stands;
    return decision;
  }
  decision.reasons =
      CheckCompatible(state.LevelOf(subject), schema, EarlierVersions(state, subject));
  if (!decision.reasons.empty()) {
    decision.outcome = Decision::Outcome::kIncompatible;
    return decision;
  }
  decision.outcome = Decision::Outcome::kNew;
  decision.record.subject = subject;
  decision.record.version = state.NextVersion(subject);
  decision.record.id = state.IdOf(canonical).value_or(state.NextId());
  decision.record.schema = canonical;
  return decision;
}

}  // namespace shopstream::registry
