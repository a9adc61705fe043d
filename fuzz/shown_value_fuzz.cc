// input := the text of a schema "\n" the JSON of a value, as the console's form sends them.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "avro/columns.h"
#include "avro/decoder.h"
#include "avro/schema.h"
#include "avro/shown_value.h"
#include "base/json.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace shopstream;  // NOLINT: a fuzz target has C linkage.
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto schema = avro::Schema::Parse(std::string(text.substr(0, line)));
  const auto value = ParseJson(std::string(text.substr(line + 1)));
  if (!schema.ok() || value.is_discarded()) return 0;
  const auto encoded = avro::EncodeShown(value, *schema);
  if (!encoded.ok()) {
    FUZZ_CHECK(encoded.status().IsInvalid() && !encoded.status().message().empty());
    return 0;
  }
  // What was written can be read, to its last byte.
  const auto decoder = avro::Decoder::Compile(*schema, *schema);
  const auto fields = avro::ToArrowSchema(*schema);
  if (!decoder.ok() || !fields.ok()) return 0;
  avro::Columns columns(*fields);
  const std::span body(reinterpret_cast<const uint8_t*>(encoded->data()), encoded->size());
  FUZZ_CHECK(decoder->Decode(body, &columns) == avro::DecodeResult::kRow);
  return 0;
}
