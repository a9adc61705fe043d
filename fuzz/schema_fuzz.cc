// input := the text of a schema, as a registry might serve it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/schema.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace shopstream::avro;  // NOLINT: a fuzz target has C linkage.
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto schema = Schema::Parse(text);
  if (!schema.ok()) {
    FUZZ_CHECK(schema.status().IsInvalid() && !schema.status().message().empty());
    return 0;
  }
  FUZZ_CHECK(!schema->CanonicalForm().empty());
  FUZZ_CHECK(CheckReadable(*schema, *schema).empty());
  // Both reject a schema, or neither does.
  FUZZ_CHECK(ToArrowSchema(*schema).ok() == Decoder::Compile(*schema, *schema).ok());
  return 0;
}
