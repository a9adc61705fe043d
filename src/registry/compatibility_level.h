#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "avro/schema.h"

namespace shopstream::registry {

// What a new version of a subject must get on with, as Confluent names it.
enum class CompatibilityLevel {
  kNone,
  kBackward,            // It reads what the latest version wrote.
  kBackwardTransitive,  // It reads what every version wrote.
  kForward,             // The latest version reads what it writes.
  kForwardTransitive,
  kFull,  // Both ways.
  kFullTransitive,
};

const char* Name(CompatibilityLevel level);
std::optional<CompatibilityLevel> ParseCompatibilityLevel(std::string_view name);
bool IsTransitive(CompatibilityLevel level);

struct EarlierVersion {
  int version = 0;
  std::string type = "AVRO";
  std::string schema{};          // As it is stored.
  std::string self_contained{};  // With what it refers to taken in; empty: the same.
};

// Why `candidate` may not follow `earlier` (ascending); empty where it may. As Confluent's registry
// gives them: {errorType:'...', description:'...', additionalInfo:'...'} for every rule broken,
// with the newest version that breaks any; then the version, its schema and the level.
std::vector<std::string> CheckCompatible(CompatibilityLevel level, const avro::Schema& candidate,
                                         const std::vector<EarlierVersion>& earlier);

}  // namespace shopstream::registry
