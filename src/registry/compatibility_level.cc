#include "registry/compatibility_level.h"

#include <array>

#include "avro/compatibility.h"

namespace shopstream::registry {
namespace {

struct LevelRow {
  CompatibilityLevel level;
  const char* name;
  bool backward, forward, transitive;
};

constexpr std::array<LevelRow, 7> kLevels = {{
    {CompatibilityLevel::kNone, "NONE", false, false, false},
    {CompatibilityLevel::kBackward, "BACKWARD", true, false, false},
    {CompatibilityLevel::kBackwardTransitive, "BACKWARD_TRANSITIVE", true, false, true},
    {CompatibilityLevel::kForward, "FORWARD", false, true, false},
    {CompatibilityLevel::kForwardTransitive, "FORWARD_TRANSITIVE", false, true, true},
    {CompatibilityLevel::kFull, "FULL", true, true, false},
    {CompatibilityLevel::kFullTransitive, "FULL_TRANSITIVE", true, true, true},
}};

const LevelRow& Row(CompatibilityLevel level) { return kLevels[static_cast<size_t>(level)]; }

void AddReasons(const avro::Schema& reader, const avro::Schema& writer, const std::string& pair,
                std::vector<std::string>* reasons) {
  for (const auto& found : avro::CheckReadable(reader, writer)) {
    reasons->push_back(pair + ": " + avro::Name(found.rule) + " at " + found.path + ": " +
                       found.message + (found.remedy.empty() ? "" : "; " + found.remedy));
  }
}

void CheckAgainst(const LevelRow& level, const avro::Schema& candidate,
                  const EarlierVersion& earlier, std::vector<std::string>* reasons) {
  const std::string version = "version " + std::to_string(earlier.version);
  if (earlier.type != "AVRO") {
    reasons->push_back(version + " is of type " + earlier.type + ", not AVRO");
    return;
  }
  const auto other = avro::Schema::Parse(earlier.schema);
  if (!other.ok()) {
    reasons->push_back(version + " cannot be compared: " + other.status().message());
    return;
  }
  if (level.backward) {
    AddReasons(candidate, *other, "the new schema cannot read " + version, reasons);
  }
  if (level.forward) {
    AddReasons(*other, candidate, version + " cannot read the new schema", reasons);
  }
}

}  // namespace

const char* Name(CompatibilityLevel level) { return Row(level).name; }

std::optional<CompatibilityLevel> ParseCompatibilityLevel(std::string_view name) {
  for (const LevelRow& row : kLevels) {
    if (name == row.name) return row.level;
  }
  return std::nullopt;
}

bool IsTransitive(CompatibilityLevel level) { return Row(level).transitive; }

std::vector<std::string> CheckCompatible(CompatibilityLevel level, const avro::Schema& candidate,
                                         const std::vector<EarlierVersion>& earlier) {
  std::vector<std::string> reasons;
  if (level == CompatibilityLevel::kNone || earlier.empty()) return reasons;
  const size_t first = IsTransitive(level) ? 0 : earlier.size() - 1;
  for (size_t i = first; i < earlier.size(); ++i) {
    CheckAgainst(Row(level), candidate, earlier[i], &reasons);
  }
  return reasons;
}

}  // namespace shopstream::registry
