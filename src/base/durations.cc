#include "base/durations.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace shopstream {
namespace {

// Values below 32 have a bucket each; above that, every power of two is split into 32.
int BucketOf(uint64_t value, int sub_buckets) {
  if (value < static_cast<uint64_t>(sub_buckets)) return static_cast<int>(value);
  const int sub_bits = std::bit_width(static_cast<unsigned>(sub_buckets)) - 1;
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - sub_bits;
  return (shift + 1) * sub_buckets + static_cast<int>(value >> shift) - sub_buckets;
}

// The largest value of a bucket.
int64_t LargestOf(int bucket, int sub_buckets) {
  if (bucket < sub_buckets) return bucket;
  const int shift = bucket / sub_buckets - 1;
  return ((static_cast<int64_t>(bucket % sub_buckets) + sub_buckets + 1) << shift) - 1;
}

}  // namespace

void Durations::Add(Micros duration, int64_t times) {
  constexpr int64_t kLongest = int64_t{1} << 44;
  const int64_t value = std::clamp<int64_t>(duration.count(), 0, kLongest);
  counts_[std::min(BucketOf(static_cast<uint64_t>(value), kSubBuckets), kBuckets - 1)] += times;
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Durations::Add(const Durations& others) {
  for (int bucket = 0; bucket < kBuckets; ++bucket) counts_[bucket] += others.counts_[bucket];
  count_ += others.count_;
  sum_ += others.sum_;
}

Durations::Micros Durations::Quantile(double share) const {
  if (count_ == 0) return Micros{0};
  const int64_t rank = std::clamp<int64_t>(std::llround(std::ceil(share * count_)), 1, count_);
  int64_t seen = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return Micros(LargestOf(bucket, kSubBuckets));
  }
  return Micros(LargestOf(kBuckets - 1, kSubBuckets));
}

int64_t Durations::CountUpTo(Micros bound) const {
  int64_t count = 0;
  int64_t least = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    const int64_t largest = LargestOf(bucket, kSubBuckets);
    if ((least + largest) / 2 > bound.count()) break;
    count += counts_[bucket];
    least = largest + 1;
  }
  return count;
}

}  // namespace shopstream
