#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "registry/record.h"

namespace shopstream::registry {

// Which versions of a subject to consider.
enum class Which { kLive, kDeletedOnly, kAll };

using SubjectVersion = std::pair<std::string, int32_t>;

// The content of the log, record by record. Plain data: no I/O, no locks.
//
// One id belongs to one schema, and one schema (by IdentityOf) has one id, regardless of the
// subjects it is registered under.
class State {
 public:
  // Invalid, and nothing changes, if the record would give an id a second schema.
  Status Apply(const Record& record);

  std::vector<std::string> Subjects(Which which = Which::kLive) const;
  bool HasSubject(const std::string& subject, Which which = Which::kLive) const;
  // Ascending.
  std::vector<int32_t> Versions(const std::string& subject, Which which = Which::kLive) const;
  // Null if there is no such version of that kind.
  const SchemaRecord* Find(const std::string& subject, int32_t version,
                           Which which = Which::kLive) const;
  const SchemaRecord* Latest(const std::string& subject) const;  // Not deleted.
  // The newest version with this identity.
  const SchemaRecord* FindIdentity(const std::string& subject, const std::string& identity,
                                   Which which = Which::kLive) const;

  // A version that has the id; null if there is none.
  const SchemaRecord* FindId(int32_t id) const;
  std::vector<SubjectVersion> UsesOf(int32_t id, Which which = Which::kLive) const;
  std::optional<int32_t> IdOf(const std::string& identity) const;
  // The versions, deleted or not, that refer to this one.
  std::vector<SubjectVersion> ReferencesTo(const std::string& subject, int32_t version) const;

  int32_t last_id() const { return last_id_; }  // The highest ever assigned.
  // One more than the subject's highest version, deleted or not.
  int32_t NextVersion(const std::string& subject) const;

  // Null if nothing is set. An empty subject: the setting for all.
  const SubjectConfig* Config(const std::string& subject) const;
  // The subject's own level, otherwise that for all, otherwise the default.
  CompatibilityLevel LevelOf(const std::string& subject) const;
  bool NormalizesOf(const std::string& subject) const;
  std::optional<std::string> CompatibilityGroupOf(const std::string& subject) const;

  std::optional<registry::Mode> OwnMode(const std::string& subject) const;
  // READONLY_OVERRIDE for all overrides a subject's own mode.
  registry::Mode ModeOf(const std::string& subject) const;

 private:
  struct Entry {
    SchemaRecord record;
    std::string identity;
  };
  using Subject = std::map<int32_t, Entry>;  // By version; never empty.

  Status ApplyOne(const SchemaRecord& record);
  Status ApplyOne(const SchemaTombstone& tombstone);
  Status ApplyOne(const ConfigRecord& record);
  Status ApplyOne(const ModeRecord& record);
  Status ApplyOne(const SubjectDeletion& deletion);
  Status ApplyOne(const SubjectClearance& clearance);
  Status ApplyOne(const IdWatermark& watermark);
  void Forget(const std::string& subject, int32_t version);
  const Entry* FindEntry(const std::string& subject, int32_t version) const;

  std::map<std::string, Subject> subjects_;
  std::map<std::string, int32_t> by_identity_;
  std::map<int32_t, std::set<SubjectVersion>> uses_;              // Deleted ones too.
  std::map<SubjectVersion, std::set<SubjectVersion>> referrers_;  // For each referenced version.
  int32_t last_id_ = 0;
  std::map<std::string, SubjectConfig> configs_;  // "": for all.
  std::map<std::string, registry::Mode> modes_;   // "": for all.
};

// What makes two schemas the same: equal text except for formatting, references, metadata and
// rules.
std::string IdentityOf(const SchemaRecord& record);

// The definitions needed by a schema with these references, each after those that it needs, for
// SelfContained(). Invalid names the reference that does not resolve.
Result<std::vector<std::string>> ResolveReferences(const State& state,
                                                   const std::vector<SchemaReference>& references,
                                                   Which which);

}  // namespace shopstream::registry
