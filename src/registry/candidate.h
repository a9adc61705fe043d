#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "registry/decisions.h"

namespace shopstream::registry {

// A valid schema that may become a version of a subject.
struct Candidate {
  SchemaRecord record;  // Without version and id.
  // With its references inlined. Nothing: it is not an Avro schema, and its text is not parsed.
  std::optional<avro::Schema> schema;
  std::string identity;
};

// Invalid explains what is wrong with it, or names the reference that does not resolve. A default
// that is not of its type is wrong only in a new schema that is to be normalized, and a reference
// to a soft-deleted version only in a new schema, as in Confluent's registry.
Result<Candidate> MakeCandidate(const State& state, const std::string& subject,
                                const PostedSchema& posted, bool is_new);

// The newest version with the candidate's schema; null if there is none. A schema with its
// references inlined is that of the version that refers to them, and one without the property
// "confluent:version" that of the version which has it.
const SchemaRecord* FindCandidate(const State& state, const Candidate& candidate, Which which);
// The second check alone, for one version.
bool MeansVersion(const State& state, const Candidate& candidate, const SchemaRecord& version);

// Why the candidate must not follow the version or, if none is given, the versions that the
// subject's config requires; empty if it may.
std::vector<std::string> CheckCandidate(const State& state, const Candidate& candidate,
                                        std::optional<int32_t> only_version);

}  // namespace shopstream::registry
