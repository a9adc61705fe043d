#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "registry/rest.h"
#include "registry/state.h"

// What the registry does about what someone wants of it: functions of the state, without I/O.
namespace shopstream::registry {

constexpr int32_t kLatest = -1;

// A schema as a request brings it.
struct PostedSchema {
  std::string text;
  std::vector<SchemaReference> references{};  // Version kLatest: the newest.
  std::string metadata{}, rule_set{};         // JSON; empty: none.
  int32_t id = 0;                             // 0: to be given.
  int32_t version = 0;                        // 0: the next.
  bool normalize = false;
};

// One that has proved to be a schema, to become a version of a subject.
struct Candidate {
  SchemaRecord record;  // Without version and id.
  avro::Schema schema;  // With what it refers to.
  std::string identity;
};

// Invalid says what is wrong with it, or which reference does not resolve.
Result<Candidate> MakeCandidate(const State& state, const std::string& subject,
                                const PostedSchema& posted);

// The version that is the candidate; null where there is none.
const SchemaRecord* FindCandidate(const State& state, const Candidate& candidate, Which which);

// Why the candidate may not follow the version, or, without one, those that the subject's level
// names; empty where it may.
std::vector<std::string> CheckCandidate(const State& state, const Candidate& candidate,
                                        std::optional<int32_t> only_version);

struct Decision {
  std::optional<RestError> refusal;
  std::vector<Record> records;    // To be written. None: refused, or as it stands already.
  SchemaRecord schema;            // Registration: what stands then.
  std::vector<int32_t> versions;  // Deletion: those that go.
};

Decision DecideRegistration(const State& state, const std::string& subject,
                            const PostedSchema& posted);
Decision DecideVersionDeletion(const State& state, const std::string& subject, int32_t version,
                               bool permanent);
Decision DecideSubjectDeletion(const State& state, const std::string& subject, bool permanent);
// An empty subject: for all.
Decision DecideConfig(const State& state, const std::string& subject,
                      const std::optional<SubjectConfig>& config);
Decision DecideMode(const State& state, const std::string& subject, std::optional<Mode> mode,
                    bool force);

RestError UnknownSubject(const std::string& subject);
RestError UnknownVersion(int32_t version);

}  // namespace shopstream::registry
