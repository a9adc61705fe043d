#include "refine/duplicates.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "refine/hash_table.h"
#include "tables/coordinates.h"

namespace shopstream::refine {
namespace {

auto OrderOf(const tables::Coordinates& at) {
  return std::tuple(at.timestamp_us, at.topic_id, at.partition, at.offset);
}

}  // namespace

Result<std::vector<bool>> FindCopies(const arrow::RecordBatch& rows,
                                     const std::vector<int32_t>& accepted,
                                     const std::vector<Hash128>& hashes) {
  ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(rows));
  HashTable all, repeated;
  for (size_t i = 0; i < accepted.size(); ++i) {
    if (!coordinates.At(accepted[i])) {
      return Status::Invalid("row ", accepted[i], " of a pass has no coordinates");
    }
    if (!all.Insert(hashes[i])) repeated.Insert(hashes[i]);
  }
  // Few rows are repeated, so that only these are put in order.
  std::vector<size_t> order;
  for (size_t i = 0; i < accepted.size(); ++i) {
    if (repeated.size() > 0 && repeated.Contains(hashes[i])) order.push_back(i);
  }
  // An empty optional is less than any other: null comes first.
  std::ranges::sort(order, [&](size_t a, size_t b) {
    if (hashes[a] != hashes[b]) return hashes[a] < hashes[b];
    return OrderOf(*coordinates.At(accepted[a])) < OrderOf(*coordinates.At(accepted[b]));
  });
  std::vector<bool> copies(accepted.size());
  for (size_t i = 1; i < order.size(); ++i) {
    copies[order[i]] = hashes[order[i]] == hashes[order[i - 1]];
  }
  return copies;
}

}  // namespace shopstream::refine
