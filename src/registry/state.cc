#include "registry/state.h"

#include <algorithm>
#include <limits>
#include <ranges>

#include "base/json.h"
#include "base/sha256.h"
#include "registry/canonical.h"
#include "registry/context.h"
#include "registry/metadata.h"
#include "registry/references.h"
#include "registry/rule_set.h"

namespace shopstream::registry {
namespace {

bool IsMeant(const SchemaRecord& record, Which which) {
  return which == Which::kAll || record.deleted == (which == Which::kDeletedOnly);
}

std::string IdentityTextOf(const SchemaRecord& record) {
  if (record.type != "AVRO") return record.type + ":" + record.schema;
  return IdentityText(record.schema, TypesOf(record.references)).ValueOr(record.schema);
}

// Whatever their metadata, rules and references are.
bool IsSameSchema(const SchemaRecord& one, const SchemaRecord& other) {
  return one.type == other.type &&
         (one.schema == other.schema || IdentityTextOf(one) == IdentityTextOf(other));
}

}  // namespace

std::string IdentityOf(const SchemaRecord& record) {
  std::string identity = IdentityTextOf(record);
  std::set<std::string> references;
  for (const SchemaReference& one : record.references) {
    references.insert("\n" + one.name + "\n" + one.subject + "\n" + std::to_string(one.version));
  }
  for (const std::string& one : references) identity += one;
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) identity += name + DumpJson(ParseJson(text));  // Sorted by name.
  };
  add("\nmetadata ", ReadMetadata(record.metadata).ValueOr(record.metadata));
  add("\nrules ", ReadRules(record.rule_set).ValueOr(record.rule_set));
  return Sha256(identity);
}

std::vector<std::string> TypesOf(const std::vector<SchemaReference>& references) {
  std::vector<std::string> names;
  for (const SchemaReference& one : references) names.push_back(one.name);
  return names;
}

Status State::Apply(const Record& record) {
  return std::visit([this](const auto& one) { return ApplyOne(one); }, record);
}

Status State::ApplyOne(const SchemaRecord& record) {
  const std::string identity = IdentityOf(record);
  Ids& ids = ids_[ContextOf(record.subject)];
  const auto users = ids.uses.find(record.id);
  if (users != ids.uses.end() && !users->second.empty()) {
    const auto& [subject, version] = *users->second.begin();
    const bool replaced =
        users->second.size() == 1 && subject == record.subject && version == record.version;
    const Entry& known = *FindEntry(subject, version);
    if (!replaced && known.identity != identity && !IsSameSchema(*known.record, record)) {
      return Status::Invalid("id ", record.id, " already belongs to a schema other than version ",
                             record.version, " of subject ", record.subject);
    }
  }
  Forget(record.subject, record.version);
  subjects_[record.subject][record.version] = {std::make_shared<const SchemaRecord>(record),
                                               identity};
  ids.by_identity[identity].insert(record.id);
  ids.uses[record.id].insert({record.subject, record.version});
  for (const SchemaReference& one : record.references) {
    referrers_[{InContextOf(record.subject, one.subject), one.version}].insert(
        {record.subject, record.version});
  }
  ids.last = std::max(ids.last, record.id);
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
    SchemaRecord hidden = *entry.record;
    hidden.deleted = true;
    entry.record = std::make_shared<const SchemaRecord>(std::move(hidden));
  }
  return Status::OK();
}

Status State::ApplyOne(const SubjectClearance& clearance) {
  for (const std::string& subject : Subjects(Which::kAll)) {
    if (!IsWithin(subject, clearance.subject)) continue;
    for (const int32_t version : Versions(subject, Which::kDeletedOnly)) Forget(subject, version);
  }
  return Status::OK();
}

Status State::ApplyOne(const ContextRecord& record) {
  if (record.removed) {
    announced_.erase(record.context);
  } else {
    announced_.insert(record.context);
  }
  return Status::OK();
}

Status State::ApplyOne(const IdWatermark& watermark) {
  for (const auto& [context, last_id] : watermark.last_ids) {
    Ids& ids = ids_[context];
    ids.last = std::max(ids.last, last_id);
  }
  return Status::OK();
}

// Removes the version, its id if no other version uses it, and its identity if none has it.
void State::Forget(const std::string& subject, int32_t version) {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return;
  const auto entry = found->second.find(version);
  if (entry == found->second.end()) return;
  const SchemaRecord& record = *entry->second.record;
  for (const SchemaReference& one : record.references) {
    const SubjectVersion referenced{InContextOf(subject, one.subject), one.version};
    auto& referrers = referrers_[referenced];
    referrers.erase({subject, version});
    if (referrers.empty()) referrers_.erase(referenced);
  }
  Ids& ids = ids_[ContextOf(subject)];
  auto& uses = ids.uses[record.id];
  uses.erase({subject, version});
  const std::string& identity = entry->second.identity;
  const bool still_used = std::ranges::any_of(uses, [&](const SubjectVersion& use) {
    return FindEntry(use.first, use.second)->identity == identity;
  });
  const auto known = ids.by_identity.find(identity);
  if (!still_used && known != ids.by_identity.end()) {
    known->second.erase(record.id);
    if (known->second.empty()) ids.by_identity.erase(known);
  }
  if (uses.empty()) ids.uses.erase(record.id);
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
           return IsMeant(*one.second.record, which);
         });
}

std::vector<int32_t> State::Versions(const std::string& subject, Which which) const {
  std::vector<int32_t> versions;
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return versions;
  for (const auto& [version, entry] : found->second) {
    if (IsMeant(*entry.record, which)) versions.push_back(version);
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
  return entry != nullptr && IsMeant(*entry->record, which) ? entry->record.get() : nullptr;
}

const SchemaRecord* State::Latest(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  for (const auto& [version, entry] : std::views::reverse(found->second)) {
    if (!entry.record->deleted) return entry.record.get();
  }
  return nullptr;
}

const SchemaRecord* State::FindIdentity(const std::string& subject, const std::string& identity,
                                        Which which) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return nullptr;
  for (const auto& [version, entry] : std::views::reverse(found->second)) {
    if (IsMeant(*entry.record, which) && entry.identity == identity) return entry.record.get();
  }
  return nullptr;
}

const State::Ids* State::FindIds(const std::string& context) const {
  const auto found = ids_.find(context);
  return found == ids_.end() ? nullptr : &found->second;
}

const SchemaRecord* State::FindId(int32_t id, const std::string& context) const {
  const Ids* ids = FindIds(context);
  if (ids == nullptr) return nullptr;
  const auto found = ids->uses.find(id);
  if (found == ids->uses.end()) return nullptr;
  const auto& [subject, version] = *found->second.begin();
  return FindEntry(subject, version)->record.get();
}

std::vector<SubjectVersion> State::UsesOf(int32_t id, Which which,
                                          const std::string& context) const {
  std::vector<SubjectVersion> meant;
  const Ids* ids = FindIds(context);
  if (ids == nullptr) return meant;
  const auto found = ids->uses.find(id);
  if (found == ids->uses.end()) return meant;
  for (const SubjectVersion& use : found->second) {
    if (Find(use.first, use.second, which) != nullptr) meant.push_back(use);
  }
  return meant;
}

std::optional<int32_t> State::IdOf(const std::string& identity, const std::string& context) const {
  const Ids* ids = FindIds(context);
  if (ids == nullptr) return std::nullopt;
  const auto found = ids->by_identity.find(identity);
  if (found == ids->by_identity.end()) return std::nullopt;
  return *found->second.begin();
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

std::vector<std::string> State::Contexts() const {
  std::set<std::string> others = announced_;
  for (const auto& [context, ids] : ids_) {
    if (!ids.uses.empty()) others.insert(context);
  }
  others.erase(kDefaultContext);
  std::vector<std::string> contexts = {kDefaultContext};
  contexts.insert(contexts.end(), others.begin(), others.end());
  return contexts;
}

int32_t State::last_id(const std::string& context) const {
  const Ids* ids = FindIds(context);
  return ids == nullptr ? 0 : ids->last;
}

IdWatermark State::Watermark() const {
  IdWatermark watermark;
  for (const auto& [context, ids] : ids_) {
    if (ids.last > 0) watermark.last_ids[context] = ids.last;
  }
  return watermark;
}

const SubjectConfig* State::Config(const std::string& subject) const {
  const auto found = configs_.find(subject);
  return found == configs_.end() ? nullptr : &found->second;
}

SubjectConfig State::ConfigInScope(const std::string& subject) const {
  for (const std::string& scope : {subject, PrefixOf(ContextOf(subject))}) {
    if (const SubjectConfig* config = Config(scope)) return *config;
  }
  return {};
}

CompatibilityLevel State::LevelOf(const std::string& subject) const {
  return ConfigInScope(subject).level.value_or(CompatibilityLevel::kBackward);
}

std::optional<Mode> State::OwnMode(const std::string& subject) const {
  const auto global = modes_.find("");
  if (global != modes_.end() && global->second == Mode::kReadOnlyOverride) return global->second;
  const auto found = modes_.find(subject);
  if (found == modes_.end()) return std::nullopt;
  return found->second;
}

Mode State::ModeOf(const std::string& subject) const {
  for (const std::string& scope : {subject, PrefixOf(ContextOf(subject))}) {
    if (const auto own = OwnMode(scope)) return *own;
  }
  return Mode::kReadWrite;
}

namespace {

class Resolver {
 public:
  Resolver(const State& state, Which which) : state_(state), which_(which) {}

  Status Add(const std::string& parent, const std::vector<SchemaReference>& references, int depth) {
    if (depth > kMaxReferenceDepth) {
      return Status::Invalid("references nest more than ", kMaxReferenceDepth, " levels deep");
    }
    for (const SchemaReference& one : references) {
      const std::string subject = InContextOf(parent, one.subject);
      if (!seen_.insert({subject, one.version}).second) continue;
      if (seen_.size() > kMaxReferences) {
        return Status::Invalid("a schema refers to more than ", kMaxReferences, " others");
      }
      const SchemaRecord* found = state_.Find(subject, one.version, which_);
      if (found == nullptr) {
        return Status::Invalid("No schema reference found for subject \"", one.subject,
                               "\" and version ", one.version);
      }
      ARROW_RETURN_NOT_OK(Add(subject, found->references, depth + 1));
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

Result<std::vector<std::string>> ResolveReferences(const State& state, const std::string& subject,
                                                   const std::vector<SchemaReference>& references,
                                                   Which which) {
  Resolver resolver(state, which);
  ARROW_RETURN_NOT_OK(resolver.Add(subject, references, 0));
  return resolver.Take();
}

std::string Resolved(const State& state, const SchemaRecord& record) {
  if (record.references.empty() || record.type != "AVRO") return record.schema;
  const auto definitions = ResolveReferences(state, record.subject, record.references, Which::kAll);
  if (!definitions.ok()) return record.schema;
  return SelfContained(record.schema, *definitions).ValueOr(record.schema);
}

}  // namespace shopstream::registry
