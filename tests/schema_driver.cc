// Our parser as a program, for tests/test_registry_schemas.py. Each input line is a schema's text as
// a JSON string, and each output line what tests/java/ParseSchema.java answers for Avro's library;
// "normalized" is also given.
#include <iostream>
#include <string>

#include "avro/schema.h"
#include "base/json.h"
#include "registry/canonical.h"

namespace shopstream {
namespace {

using nlohmann::json;

json Answer(const std::string& text) {
  const auto plain = avro::Schema::Parse(text, {.validate_defaults = false});
  const auto validated = avro::Schema::Parse(text);
  json answer = {{"plain", plain.ok()}, {"validated", validated.ok()}};
  if (!validated.ok()) answer["error"] = validated.status().message();
  if (!plain.ok()) return answer;
  answer["text"] = registry::CanonicalText(text).ValueOr("no canonical text");
  const std::string normalized = registry::NormalizedText(text).ValueOr("no normalized text");
  answer["normalized"] = normalized;
  // Whatever is normalized can be read, and is normal.
  const bool again = avro::Schema::Parse(normalized, {.validate_defaults = false}).ok();
  answer["again"] = again && registry::NormalizedText(normalized).ValueOr("") == normalized;
  return answer;
}

}  // namespace
}  // namespace shopstream

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << shopstream::Answer(nlohmann::json::parse(line)).dump() << '\n';
  }
}
