#include "observe/adopted_cover.h"

#include <algorithm>
#include <cmath>

#include "model/calendar.h"

namespace shopstream::observe {
namespace {

constexpr int64_t kMostTimes = 1'000'000;
constexpr size_t kMostUncovered = 100'000;

}  // namespace

AdoptedCover::AdoptedCover(const tables::Txns& txns, const std::string& topic_id,
                           int32_t partitions, int64_t rows)
    : one_in_(std::max<int64_t>(1, (rows + kMostTimes - 1) / kMostTimes)) {
  for (int32_t partition = 0; partition < partitions; ++partition) {
    auto adoption = tables::ReadAdoption(txns, topic_id, partition);
    if (adoption) partitions_[partition].adoption = *std::move(adoption);
  }
  if (partitions_.empty()) return;
  const std::vector<std::string> chain = tables::ChainOf(txns, topic_id);
  earlier_.insert(chain.begin() + 1, chain.end());
}

const tables::Adoption* AdoptedCover::Find(int32_t partition) const {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? nullptr : &found->second.adoption;
}

AdoptedCover::Partition* AdoptedCover::EarlierPartition(std::string_view topic_id,
                                                        int32_t partition) {
  if (earlier_.find(topic_id) == earlier_.end()) return nullptr;
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? nullptr : &found->second;
}

// As in ContentSample: the choice is made from the upper half of the product.
bool AdoptedCover::Samples(int64_t timestamp_ms) const {
  if (one_in_ <= 1) return true;
  const uint64_t mixed = static_cast<uint64_t>(timestamp_ms) * 0x9E3779B97F4A7C15;
  return (mixed >> 32) % static_cast<uint64_t>(one_in_) == 0;
}

void AdoptedCover::AddRow(std::string_view topic_id, int32_t partition,
                          std::optional<int64_t> timestamp_us) {
  if (earlier_.empty()) return;
  Partition* const earlier = EarlierPartition(topic_id, partition);
  if (earlier == nullptr || !timestamp_us) return;
  const int64_t sent_ms = *timestamp_us / kMicrosPerMilli;
  if (Samples(sent_ms)) earlier->sent_ms.insert(sent_ms);
}

void AdoptedCover::AddErased(const std::string& topic_id, int32_t partition, int64_t rows) {
  if (Partition* const earlier = EarlierPartition(topic_id, partition)) earlier->erased += rows;
}

bool AdoptedCover::Takes(int32_t partition, int64_t offset, int64_t timestamp_ms) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return false;
  Partition& covered = found->second;
  if (offset >= covered.adoption.below) return false;
  ++covered.count.records;
  if (!IsKnownMillis(timestamp_ms) || !Samples(timestamp_ms)) return true;
  ++covered.count.compared;
  if (covered.sent_ms.contains(timestamp_ms)) return true;
  ++covered.count.missing;
  if (covered.uncovered.size() < kMostUncovered) covered.uncovered.insert(offset);
  return true;
}

// The sample has about one in `one_in_` of the records whose rows were removed, give or take four
// standard deviations.
bool AdoptedCover::IsExplained(const Partition& partition) const {
  const double expected =
      static_cast<double>(partition.erased) / static_cast<double>(std::max<int64_t>(1, one_in_));
  const double chance = one_in_ > 1 && partition.erased > 0 ? 1 + 4 * std::sqrt(expected) : 0;
  return partition.count.missing <= partition.erased &&
         static_cast<double>(partition.count.missing) <= expected + chance;
}

CoveredRecords AdoptedCover::Count(int32_t partition) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return {};
  CoveredRecords count = found->second.count;
  count.erased = count.missing > 0 && IsExplained(found->second);
  return count;
}

void AdoptedCover::ForEachUncovered(int32_t partition, const OnUncovered& on_uncovered) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  const Partition& covered = found->second;
  if (IsExplained(covered)) return;
  OffsetRange range{partition, 0, 0};
  for (const int64_t offset : covered.uncovered) {
    if (offset == range.end && !range.empty()) {
      ++range.end;
      continue;
    }
    if (!range.empty()) on_uncovered(range);
    range = {partition, offset, offset + 1};
  }
  if (!range.empty()) on_uncovered(range);
}

}  // namespace shopstream::observe
