#include "ingest/cause.h"

namespace shopstream::ingest {
namespace {

constexpr Cause kCauses[] = {
    Cause::kEmpty,        Cause::kBadFrame,           Cause::kUnknownSchema,
    Cause::kCorrupt,      Cause::kIncompatibleSchema, Cause::kUnknownPartitionValue,
    Cause::kBadTimestamp, Cause::kTooLarge,
};

}  // namespace

std::string_view Name(Cause cause) {
  switch (cause) {
    case Cause::kEmpty:
      return "empty";
    case Cause::kBadFrame:
      return "bad_frame";
    case Cause::kUnknownSchema:
      return "unknown_schema";
    case Cause::kCorrupt:
      return "corrupt";
    case Cause::kIncompatibleSchema:
      return "incompatible_schema";
    case Cause::kUnknownPartitionValue:
      return "unknown_region";
    case Cause::kBadTimestamp:
      return "bad_timestamp";
    case Cause::kTooLarge:
      return "too_large";
  }
  return "";
}

std::vector<std::string> CauseNames() {
  std::vector<std::string> names;
  for (const Cause cause : kCauses) names.emplace_back(Name(cause));
  return names;
}

std::optional<Cause> ParseCause(std::string_view name) {
  for (const Cause cause : kCauses) {
    if (Name(cause) == name) return cause;
  }
  return std::nullopt;
}

}  // namespace shopstream::ingest
