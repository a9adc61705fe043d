#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"

// A schema's metadata: {"tags": {}, "properties": {}, "sensitive": []}, as JSON; empty: none.
namespace shopstream::registry {

// As Confluent's registry keeps it: sets sorted, values as text, and nothing that is unknown or
// empty. Invalid names what has the wrong shape.
Result<std::string> ReadMetadata(const std::string& metadata);

// Both together; where both have a tag or property, that of `over` counts.
std::string MergeMetadata(const std::string& under, const std::string& over);

std::map<std::string, std::string> PropertiesOf(const std::string& metadata);
std::optional<std::string> PropertyOf(const std::string& metadata, const std::string& name);

// Confluent's property with the number of the version, which some clients ask for.
inline constexpr const char* kVersionProperty = "confluent:version";
std::string WithVersionProperty(const std::string& metadata, int version);
std::string WithoutVersionProperty(const std::string& metadata);

// The names in the property "confluent:reserved", separated by commas: fields that no version of
// the subject may have.
std::set<std::string> ReservedFieldsOf(const std::string& metadata);

// Whether both hold the same, in whatever order.
bool IsSameMetadata(const std::string& one, const std::string& other);

}  // namespace shopstream::registry
