#include "registry/compatibility_level.h"

#include <algorithm>
#include <array>
#include <cctype>

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

// Longer schemas are truncated in messages.
constexpr size_t kMostShown = 10 << 10;

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Which side reads whose data, for messages; avro::Incompatibility says "reader" and "writer".
struct Direction {
  std::string reader, writer;
};

void AddReasons(const avro::Schema& reader, const avro::Schema& writer, const Direction& names,
                std::vector<std::string>* reasons) {
  for (const auto& found : avro::CheckCompatible(reader, writer)) {
    const std::string words =
        ReplaceAll(ReplaceAll(found.message, "the reader's", "the " + names.reader + " schema's"),
                   "the writer's", "the " + names.writer + " schema's");
    reasons->push_back(std::string("{errorType:'") + avro::Name(found.rule) +
                       "', description:'The " + names.reader + " schema cannot read data of the " +
                       names.writer + " schema (path '" + (found.path.empty() ? "/" : found.path) +
                       "'): " + words + "; to fix it in the " + names.reader + " schema, " +
                       found.remedy + "', additionalInfo:'" + found.info + "'}");
  }
}

std::string OtherType(const EarlierVersion& earlier, const std::string& type) {
  return "Incompatible because of different schema type: version " +
         std::to_string(earlier.version) + " is " + earlier.type + ", not " + type;
}

void CheckAgainst(const LevelRow& level, const avro::Schema& candidate,
                  const EarlierVersion& earlier, std::vector<std::string>* reasons) {
  if (earlier.type != "AVRO") return reasons->push_back(OtherType(earlier, "AVRO"));
  const auto other = avro::Schema::ParseKept(
      earlier.self_contained.empty() ? earlier.schema : earlier.self_contained);
  if (!other.ok()) {
    reasons->push_back("Version " + std::to_string(earlier.version) +
                       " cannot be compared: " + other.status().message());
    return;
  }
  if (level.forward) AddReasons(*other, candidate, {"old", "new"}, reasons);
  if (level.backward) AddReasons(candidate, *other, {"new", "old"}, reasons);
  if (reasons->empty()) return;
  const bool whole = earlier.schema.size() <= kMostShown;
  reasons->push_back("{oldSchemaVersion: " + std::to_string(earlier.version) + "}");
  reasons->push_back(whole ? "{oldSchema: '" + earlier.schema + "'}"
                           : "{oldSchema: <truncated> '" + earlier.schema.substr(0, kMostShown) +
                                 "...'}");
}

}  // namespace

const char* Name(CompatibilityLevel level) { return Row(level).name; }

std::optional<CompatibilityLevel> ParseCompatibilityLevel(std::string_view name) {
  for (const LevelRow& row : kLevels) {
    const auto same = [](char a, char b) {
      return std::toupper(static_cast<unsigned char>(a)) == b;
    };
    if (std::ranges::equal(name, std::string_view(row.name), same)) return row.level;
  }
  return std::nullopt;
}

bool IsTransitive(CompatibilityLevel level) { return Row(level).transitive; }

std::vector<std::string> CheckCompatible(CompatibilityLevel level, const avro::Schema& candidate,
                                         const std::vector<EarlierVersion>& earlier) {
  std::vector<std::string> reasons;
  if (level == CompatibilityLevel::kNone || earlier.empty()) return reasons;
  const size_t first = IsTransitive(level) ? 0 : earlier.size() - 1;
  for (size_t i = earlier.size(); i-- > first && reasons.empty();) {
    CheckAgainst(Row(level), candidate, earlier[i], &reasons);
  }
  return reasons;
}

std::vector<std::string> CheckType(CompatibilityLevel level, const std::string& type,
                                   const std::vector<EarlierVersion>& earlier) {
  if (level == CompatibilityLevel::kNone || earlier.empty()) return {};
  const size_t first = IsTransitive(level) ? 0 : earlier.size() - 1;
  for (size_t i = earlier.size(); i-- > first;) {
    if (earlier[i].type != type) return {OtherType(earlier[i], type)};
  }
  return {};
}

}  // namespace shopstream::registry
