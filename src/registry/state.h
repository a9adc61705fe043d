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

// The content of the log, record by record. Plain data: no I/O, no locks. A copy shares the
// schemas, so it costs little. Subjects are qualified (registry/context.h); one in the default
// context has its plain name.
//
// Within a context one id belongs to one schema text, regardless of the subjects it is registered
// under. We give another id to the same text with other references, metadata or rules (IdentityOf);
// Confluent's registry may give them the same. An identity normally has one id; imports, and logs
// of other registries, may give it several.
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

  // A version that has the id in the context; null if there is none.
  const SchemaRecord* FindId(int32_t id, const std::string& context = ".") const;
  std::vector<SubjectVersion> UsesOf(int32_t id, Which which = Which::kLive,
                                     const std::string& context = ".") const;
  // The lowest id of the schema in the context.
  std::optional<int32_t> IdOf(const std::string& identity, const std::string& context = ".") const;
  // The versions, deleted or not, that refer to this one.
  std::vector<SubjectVersion> ReferencesTo(const std::string& subject, int32_t version) const;

  // The default one first.
  std::vector<std::string> Contexts() const;
  bool HasContextRecord(const std::string& context) const { return announced_.contains(context); }
  // The highest id ever assigned in the context.
  int32_t last_id(const std::string& context = ".") const;
  IdWatermark Watermark() const;
  // One more than the subject's highest version, deleted or not.
  int32_t NextVersion(const std::string& subject) const;

  // Null if nothing is set. An empty subject: for the default context.
  const SubjectConfig* Config(const std::string& subject) const;
  // The subject's own config, otherwise its context's, otherwise none is set.
  SubjectConfig ConfigInScope(const std::string& subject) const;
  CompatibilityLevel LevelOf(const std::string& subject) const;

  std::optional<registry::Mode> OwnMode(const std::string& subject) const;
  // READONLY_OVERRIDE for all overrides a subject's own mode.
  registry::Mode ModeOf(const std::string& subject) const;

 private:
  struct Entry {
    std::shared_ptr<const SchemaRecord> record;
    std::string identity;
  };
  using Subject = std::map<int32_t, Entry>;  // By version; never empty.
  struct Ids {
    std::map<std::string, std::set<int32_t>> by_identity;
    std::map<int32_t, std::set<SubjectVersion>> uses;  // Deleted ones too.
    int32_t last = 0;
  };

  Status ApplyOne(const SchemaRecord& record);
  Status ApplyOne(const SchemaTombstone& tombstone);
  Status ApplyOne(const ConfigRecord& record);
  Status ApplyOne(const ModeRecord& record);
  Status ApplyOne(const SubjectDeletion& deletion);
  Status ApplyOne(const SubjectClearance& clearance);
  Status ApplyOne(const ContextRecord& record);
  Status ApplyOne(const IdWatermark& watermark);
  void Forget(const std::string& subject, int32_t version);
  const Entry* FindEntry(const std::string& subject, int32_t version) const;
  const Ids* FindIds(const std::string& context) const;

  std::map<std::string, Subject> subjects_;
  std::map<std::string, Ids> ids_;                                // By context.
  std::map<SubjectVersion, std::set<SubjectVersion>> referrers_;  // For each referenced version.
  std::map<std::string, SubjectConfig> configs_;  // "" and ":.context:": for all subjects in it.
  std::map<std::string, registry::Mode> modes_;   // As above.
  std::set<std::string> announced_;               // Contexts that have a ContextRecord.
};

// What makes two schemas the same, as a digest: equal text except for formatting, references,
// metadata and rules.
std::string IdentityOf(const SchemaRecord& record);

// The full names of the types that the schema takes from its references.
std::vector<std::string> TypesOf(const std::vector<SchemaReference>& references);

// The definitions needed by a schema of `subject` with these references, each after those that it
// needs, for SelfContained(). Invalid names the reference that does not resolve.
Result<std::vector<std::string>> ResolveReferences(const State& state, const std::string& subject,
                                                   const std::vector<SchemaReference>& references,
                                                   Which which);
// The text of a stored Avro schema with its references inlined; as it is if one does not resolve.
std::string Resolved(const State& state, const SchemaRecord& record);

}  // namespace shopstream::registry
