#include "observe/content_sample.h"

#include <algorithm>

#include "kafka/record_hash.h"
#include "model/calendar.h"

namespace shopstream::observe {
namespace {

constexpr int64_t kMaxSampled = 1'000'000;

// Whether a value is stored for the offset, and whether all stored ones are `value`: rows may be
// doubled.
ContentSample::Verdict Look(const std::vector<std::pair<int64_t, int64_t>>& values, int64_t offset,
                            int64_t value) {
  auto at = std::lower_bound(values.begin(), values.end(), std::pair(offset, INT64_MIN));
  if (at == values.end() || at->first != offset) return ContentSample::Verdict::kUnknown;
  for (; at != values.end() && at->first == offset; ++at) {
    if (at->second != value) return ContentSample::Verdict::kOther;
  }
  return ContentSample::Verdict::kSame;
}

}  // namespace

ContentSample ContentSample::OfRows(int64_t rows) {
  return ContentSample(std::max<int64_t>(1, (rows + kMaxSampled - 1) / kMaxSampled));
}

bool ContentSample::Samples(int64_t offset) const {
  if (one_in_ <= 1) return true;
  // Multiplication mixes upwards only, so the choice is made from the upper half.
  const uint64_t mixed = static_cast<uint64_t>(offset) * 0x9E3779B97F4A7C15;
  return (mixed >> 32) % static_cast<uint64_t>(one_in_) == 0;
}

void ContentSample::AddTimestamp(int64_t offset, int64_t timestamp_us) {
  timestamps_.emplace_back(offset, timestamp_us);
  sorted_ = false;
}

void ContentSample::AddHash(int64_t offset, int64_t content_hash) {
  hashes_.emplace_back(offset, content_hash);
  sorted_ = false;
}

ContentSample::Verdict ContentSample::Compare(const kafka::RecordView& record) {
  if (!sorted_) {
    for (Values* values : {&timestamps_, &hashes_}) std::sort(values->begin(), values->end());
    sorted_ = true;
  }
  const bool is_last = last_ && last_->offset == record.offset;
  if (!is_last && !Samples(record.offset)) return Verdict::kUnknown;
  Verdict verdict = Verdict::kUnknown;
  const auto add = [&verdict](Verdict other) {
    if (verdict != Verdict::kOther && other != Verdict::kUnknown) verdict = other;
  };
  if (is_last) {
    const tables::LastRecord found{.offset = record.offset,
                                   .leader_epoch = record.leader_epoch,
                                   .timestamp_ms = record.timestamp_ms,
                                   .hash = kafka::ContentHash(record)};
    add(tables::MayBeSame(*last_, found) ? Verdict::kSame : Verdict::kOther);
  }
  // A time outside the calendar is not compared: an earlier program stored such times in Bronze,
  // and a repair replaced them.
  if (record.timestamp_ms == kNoTimestamp) {
    add(Look(timestamps_, record.offset, INT64_MIN));
  } else if (IsCalendarMillis(record.timestamp_ms)) {
    add(Look(timestamps_, record.offset, record.timestamp_ms * kMicrosPerMilli));
  }
  if (const Verdict by_hash = Look(hashes_, record.offset, 0); by_hash != Verdict::kUnknown) {
    add(Look(hashes_, record.offset, kafka::ContentHash(record)));
  }
  return verdict;
}

}  // namespace shopstream::observe
