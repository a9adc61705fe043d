#include "refine/pass_filter.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tables/columns.h"

namespace shopstream::refine {
namespace {

using lake::ColumnRange;
using lake::FilePredicate;

// A file is compared with each part, so that thousands of them would take longer than reading it.
constexpr size_t kMostRuns = 64;

std::shared_ptr<arrow::Scalar> ScalarOf(int64_t offset) {
  return std::make_shared<arrow::Int64Scalar>(offset);
}

FilePredicate Within(const OffsetRange& range) {
  const auto partition = std::make_shared<arrow::Int32Scalar>(range.partition);
  return FilePredicate::AllOf(
      {ColumnRange{.column = tables::kPartition, .least = partition, .most = partition},
       ColumnRange{.column = tables::kOffset,
                   .least = ScalarOf(range.begin),
                   .most = ScalarOf(range.end - 1)}});
}

// The runs, or what encloses those of each partition if there are many.
std::vector<OffsetRange> OutlineOf(const tables::ReplayedOffsets& offsets) {
  std::vector<OffsetRange> runs, enclosing;
  offsets.ForEachRun([&](int32_t partition, int64_t begin, int64_t end) {
    runs.push_back({partition, begin, end});
    if (enclosing.empty() || enclosing.back().partition != partition) {
      enclosing.push_back({partition, begin, end});
    }
    enclosing.back().end = end;
  });
  return runs.size() <= kMostRuns ? runs : enclosing;
}

}  // namespace

Result<PassFilter> PassFilter::Of(const PassPlan& plan, const lake::Snapshot& bronze) {
  PassFilter filter;
  for (const auto& [key, range] : plan.ranges) {
    filter.topics_[key.topic_id].ranges.emplace(key.partition, range);
  }
  for (const auto& [topic_id, replayed] : plan.replayed) {
    filter.topics_[topic_id].replayed = replayed;
  }
  for (auto& [topic_id, topic] : filter.topics_) {
    ARROW_ASSIGN_OR_RAISE(auto replayed, tables::ReadReplayed(bronze, topic_id));
    const auto decided = plan.decided_replays.find(topic_id);
    topic.later = decided == plan.decided_replays.end() ? std::move(replayed)
                                                        : replayed.Without(decided->second);
  }
  return filter;
}

bool PassFilter::Takes(const tables::Coordinates& at) const {
  const auto found = topics_.find(at.topic_id);
  if (found == topics_.end()) return false;
  const Topic& topic = found->second;
  const auto range = topic.ranges.find(at.partition);
  if (range != topic.ranges.end() && range->second.begin <= at.offset &&
      at.offset < range->second.end) {
    return topic.later.empty() || !topic.later.Contains(at.partition, at.offset);
  }
  return !topic.replayed.empty() && topic.replayed.Contains(at.partition, at.offset);
}

FilePredicate PassFilter::Outline(bool without_coordinates) const {
  std::vector<FilePredicate> any;
  for (const auto& [topic_id, topic] : topics_) {
    std::vector<OffsetRange> ranges = OutlineOf(topic.replayed);
    for (const auto& [partition, range] : topic.ranges) ranges.push_back(range);
    std::vector<FilePredicate> within;
    std::ranges::transform(ranges, std::back_inserter(within), &Within);
    const auto id = std::make_shared<arrow::StringScalar>(topic_id);
    any.push_back(
        FilePredicate::AllOf({ColumnRange{.column = tables::kTopicId, .least = id, .most = id},
                              FilePredicate::AnyOf(std::move(within))}));
  }
  if (without_coordinates) {
    for (const std::string& column : tables::CoordinateColumns::Names()) {
      any.push_back(ColumnRange{.column = column, .is_null = true});
    }
  }
  return FilePredicate::AnyOf(std::move(any));
}

}  // namespace shopstream::refine
