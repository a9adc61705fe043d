#pragma once

#include <cstdint>

namespace shopstream::avro {

// The rules of schema resolution that can be violated, with the names of Confluent's registry.
enum class ResolutionRule : uint8_t {
  kNameMismatch,
  kFixedSizeMismatch,
  kMissingEnumSymbols,
  kReaderFieldMissingDefaultValue,
  kTypeMismatch,
  kMissingUnionBranch,
};
// "NAME_MISMATCH" and so on.
const char* Name(ResolutionRule rule);

}  // namespace shopstream::avro
