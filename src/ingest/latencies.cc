#include "ingest/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace shopstream::ingest {
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

void Latencies::Add(int64_t millis, int64_t times) {
  const uint64_t value = static_cast<uint64_t>(std::max<int64_t>(millis, 0));
  counts_[std::min(BucketOf(value, kSubBuckets), kBuckets - 1)] += times;
  count_ += times;
}

int64_t Latencies::Quantile(double share) const {
  if (count_ == 0) return 0;
  const int64_t rank = std::clamp<int64_t>(std::llround(std::ceil(share * count_)), 1, count_);
  int64_t seen = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return LargestOf(bucket, kSubBuckets);
  }
  return LargestOf(kBuckets - 1, kSubBuckets);
}

}  // namespace shopstream::ingest
