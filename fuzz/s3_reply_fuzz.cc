// input := the body of an answer from an object store, or from a proxy in between.
#include <string>

#include "fuzz_target.h"
#include "lake/store/s3_reply.h"

using namespace shopstream::lake;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string xml(reinterpret_cast<const char*>(bytes), size);
  if (const auto page = ParseS3Listing(xml); page.ok()) {
    for (const auto& object : page->objects) FUZZ_CHECK(object.key.size() <= size);
  }
  if (const auto page = ParseS3Uploads(xml); page.ok()) {
    // Otherwise a reader would request the same page forever.
    FUZZ_CHECK(!page->more || !page->next_key.empty());
  }
  if (const auto names = ParseS3Buckets(xml); names.ok()) FUZZ_CHECK(names->size() <= size);
  FUZZ_CHECK(ParseS3Error(xml).code.size() <= size);
  return 0;
}
