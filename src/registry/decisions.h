#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "registry/rest.h"
#include "registry/state.h"

// The registry's decisions about requests: functions of the state, without I/O.
namespace shopstream::registry {

constexpr int32_t kLatest = -1;

// A schema in a request.
struct PostedSchema {
  std::string text;
  std::vector<SchemaReference> references{};  // Version kLatest: the newest.
  std::string metadata{}, rule_set{};         // JSON; empty: none.
  int32_t id = 0;                             // 0: to be assigned.
  int32_t version = 0;                        // 0: the next.
  bool normalize = false;
};

// A valid schema that may become a version of a subject.
struct Candidate {
  SchemaRecord record;  // Without version and id.
  avro::Schema schema;  // With its references inlined.
  std::string identity;
};

// Invalid explains what is wrong with it, or names the reference that does not resolve.
Result<Candidate> MakeCandidate(const State& state, const std::string& subject,
                                const PostedSchema& posted);

// The version with the candidate's schema; null if there is none.
const SchemaRecord* FindCandidate(const State& state, const Candidate& candidate, Which which);

// Why the candidate must not follow the version or, if none is given, the versions that the
// subject's level requires; empty if it may.
std::vector<std::string> CheckCandidate(const State& state, const Candidate& candidate,
                                        std::optional<int32_t> only_version);

struct Decision {
  std::optional<RestError> refusal;
  std::vector<Record> records;    // To be written. None: refused, or nothing changes.
  SchemaRecord schema;            // Registration: the resulting version.
  std::vector<int32_t> versions;  // Deletion: the deleted versions.
};

Decision DecideRegistration(const State& state, const std::string& subject,
                            const PostedSchema& posted);
Decision DecideVersionDeletion(const State& state, const std::string& subject, int32_t version,
                               bool permanent);
Decision DecideSubjectDeletion(const State& state, const std::string& subject, bool permanent);
// An empty subject: for all subjects.
Decision DecideConfig(const State& state, const std::string& subject,
                      const std::optional<SubjectConfig>& config);
Decision DecideMode(const State& state, const std::string& subject, std::optional<Mode> mode,
                    bool force);

RestError UnknownSubject(const std::string& subject);
RestError UnknownVersion(int32_t version);

}  // namespace shopstream::registry
