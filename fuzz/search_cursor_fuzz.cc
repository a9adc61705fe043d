// input := the cursor of a search, as an address has it, with or without its check.
#include <cstddef>
#include <cstdint>
#include <string>

#include "console/search_cursor.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace shopstream::console;  // NOLINT: a fuzz target has C linkage.
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  SearchRequest request;
  request.identity = "topic?text=lamp";
  for (const std::string& cursor : {text, WithCheck(text, request)}) {
    const auto progress = ParseCursor(cursor, request);
    if (!progress.ok()) {
      FUZZ_CHECK(progress.status().IsInvalid() && !progress.status().message().empty());
      continue;
    }
    FUZZ_CHECK(progress->scanned >= 0 && progress->matched >= 0);
    for (const PartitionScan& scan : progress->partitions) {
      FUZZ_CHECK(0 <= scan.from && scan.from <= scan.next && scan.next <= scan.to);
    }
    const auto again = ParseCursor(ToCursor(*progress, request), request);
    FUZZ_CHECK(again.ok() && *again == *progress);
  }
  return 0;
}
