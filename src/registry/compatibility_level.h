#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "avro/schema.h"

namespace shopstream::registry {

// What a new version of a subject must be compatible with, by Confluent's names.
enum class CompatibilityLevel {
  kNone,
  kBackward,            // It can read data of the latest version.
  kBackwardTransitive,  // It can read data of every version.
  kForward,             // The latest version can read its data.
  kForwardTransitive,
  kFull,  // Both directions.
  kFullTransitive,
};

const char* Name(CompatibilityLevel level);
std::optional<CompatibilityLevel> ParseCompatibilityLevel(std::string_view name);
bool IsTransitive(CompatibilityLevel level);

struct EarlierVersion {
  int version = 0;
  std::string type = "AVRO";
  std::string schema{};          // As stored.
  std::string self_contained{};  // With its references inlined; empty: the same.
};

// Why `candidate` must not follow `earlier` (ascending); empty if it may. In the format of
// Confluent's registry: {errorType:'...', description:'...', additionalInfo:'...'} for every broken
// rule, with the newest version that breaks any; then the version and its schema.
std::vector<std::string> CheckCompatible(CompatibilityLevel level, const avro::Schema& candidate,
                                         const std::vector<EarlierVersion>& earlier);
// The same for a schema whose text is not understood: it may follow others of its type.
std::vector<std::string> CheckType(CompatibilityLevel level, const std::string& type,
                                   const std::vector<EarlierVersion>& earlier);

}  // namespace shopstream::registry
