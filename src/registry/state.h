#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"
#include "registry/record.h"

namespace shopstream::registry {

struct StoredSchema {
  std::string text;
  std::string type;
};

// What the log says, record by record. Plain data: no I/O, no locks.
//
// One id stands for one schema, and one schema (by its canonical text) has one id, whatever the
// subjects it is registered under.
class State {
 public:
  // Invalid, and nothing changed, where the record would give an id a second schema.
  Status Apply(const Record& record);

  std::vector<std::string> Subjects() const;  // With a version that is not deleted.
  bool HasSubject(const std::string& subject) const;
  std::vector<int32_t> Versions(const std::string& subject) const;  // Ascending, not deleted.
  // Null where there is none (or it is deleted).
  const SchemaRecord* Find(const std::string& subject, int32_t version) const;
  const SchemaRecord* Latest(const std::string& subject) const;
  const SchemaRecord* FindText(const std::string& subject, const std::string& canonical) const;

  const StoredSchema* FindId(int32_t id) const;
  // The subjects and versions that are not deleted and use the id.
  std::vector<std::pair<std::string, int32_t>> UsesOf(int32_t id) const;
  std::optional<int32_t> IdOf(const std::string& canonical) const;

  // Never given out before, deleted or not.
  int32_t NextId() const { return last_id_ + 1; }
  int32_t NextVersion(const std::string& subject) const;

  std::optional<CompatibilityLevel> SubjectLevel(const std::string& subject) const;
  CompatibilityLevel LevelOf(const std::string& subject) const;  // Its own, else the global one.
  CompatibilityLevel global_level() const { return global_level_; }

 private:
  struct Entry {
    SchemaRecord record;
    std::string canonical;
  };
  struct Subject {
    std::map<int32_t, Entry> versions;
    int32_t last_version = 0;
  };

  Status ApplyOne(const SchemaRecord& record);
  Status ApplyOne(const SchemaTombstone& tombstone);
  Status ApplyOne(const LevelRecord& record);
  Status ApplyOne(const SubjectDeletion& deletion);
  void Forget(const std::string& subject, int32_t version);

  std::map<std::string, Subject> subjects_;
  std::map<int32_t, StoredSchema> by_id_;
  std::map<std::string, int32_t> by_text_;                             // Canonical text to id.
  std::map<int32_t, std::set<std::pair<std::string, int32_t>>> uses_;  // Deleted ones too.
  int32_t last_id_ = 0;
  std::map<std::string, CompatibilityLevel> levels_;
  CompatibilityLevel global_level_ = CompatibilityLevel::kBackward;
};

// What the registry does about a schema that someone wants to register.
struct Decision {
  enum class Outcome { kExists, kNew, kIncompatible };
  Outcome outcome = Outcome::kExists;
  SchemaRecord record;               // kExists: the one that stands; kNew: the one to write.
  std::vector<std::string> reasons;  // kIncompatible.
};

// Pure. `canonical` is the schema's canonical text.
Decision DecideRegistration(const State& state, const std::string& subject,
                            const avro::Schema& schema, const std::string& canonical);

// The versions of a subject that a new one is held against.
std::vector<EarlierVersion> EarlierVersions(const State& state, const std::string& subject);

}  // namespace shopstream::registry
