#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/rest.h"
#include "registry/state.h"

// The registry's decisions about requests: functions of the state, without I/O.
namespace shopstream::registry {

constexpr int32_t kLatest = -1;

// A schema in a request.
struct PostedSchema {
  std::string text;                           // Blank: that of the latest version.
  std::vector<SchemaReference> references{};  // Version kLatest: the newest.
  std::string metadata{}, rule_set{};         // JSON; empty: those of the latest version.
  int32_t id = 0;                             // 0: to be assigned.
  int32_t version = 0;                        // 0: the next; kLatest: the same, noted in metadata.
  bool normalize = false;
  std::string type = "AVRO";
};

struct Decision {
  std::optional<RestError> refusal;
  std::vector<Record> records;    // To be written. None: refused, or nothing changes.
  SchemaRecord schema;            // Registration: the resulting version.
  bool was_changed = false;       // Registration: metadata, rules or text were filled in.
  std::vector<int32_t> versions;  // Deletion: the deleted versions.
};

Decision Refuse(RestError refusal);

// registration.cc
Decision DecideRegistration(const State& state, const std::string& subject,
                            const PostedSchema& posted);

// decisions.cc
Decision DecideVersionDeletion(const State& state, const std::string& subject, int32_t version,
                               bool permanent);
Decision DecideSubjectDeletion(const State& state, const std::string& subject, bool permanent);
// A subject, or the start of a context's ("" for the default one).
Decision DecideConfig(const State& state, const std::string& subject,
                      const std::optional<SubjectConfig>& config);
Decision DecideMode(const State& state, const std::string& subject, std::optional<Mode> mode,
                    bool force);

// Refused if the context has subjects.
Decision DecideContextDeletion(const State& state, const std::string& context);

bool IsReadOnly(const State& state, const std::string& subject);
Decision RefuseReadOnly(const std::string& subject);
RestError ReferenceExists(const std::string& subject, int32_t version);
// By versions of that kind, and of other subjects only if asked for.
bool IsReferenced(const State& state, const std::string& subject, int32_t version, Which which,
                  bool by_others_only);
RestError UnknownSubject(const std::string& subject);
RestError UnknownVersion(int32_t version);

}  // namespace shopstream::registry
