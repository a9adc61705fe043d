#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::observe {

// Whose lag, in which partition: of a consumer group, or of the lake under the name of its group.
struct LagKey {
  std::string group, topic;
  int32_t partition = 0;

  auto operator<=>(const LagKey&) const = default;
};

// One partition at one moment.
struct LagPoint {
  int64_t second = 0;   // By a clock that never runs backwards, in whole seconds.
  int64_t records = 0;  // Offsets that are not taken yet.
  float seconds = -1;   // Age of the first of them; negative: unknown.
  float in_rate = -1;   // Offsets per second that Kafka receives; negative: unknown.
  float out_rate = -1;  // Offsets per second that are taken; negative: unknown.

  bool operator==(const LagPoint&) const = default;
};

// Remembers the lag of partitions: the last hour by the second, the last 24 hours by the minute. It
// is bounded: kMostPartitions take less than 64 MB. Nothing survives a restart. One thread.
class LagHistory {
 public:
  static constexpr int64_t kSeconds = 3600;
  static constexpr int64_t kMinutes = 24 * 60;
  static constexpr size_t kMostPartitions = 500;

  // A later point of the same second replaces the earlier one. False: the point is dropped, because
  // it is older than the partition's newest, or because kMostPartitions others had a point within
  // the last minute. A partition without one for longer gives way.
  bool Add(const LagKey& key, const LagPoint& point);

  // The points since `from`, ascending: one per second for which there is one.
  std::vector<LagPoint> Seconds(const LagKey& key, int64_t from) const;
  // One per minute for which there is a point, with the minute's first second, its greatest lag and
  // age, and its mean rates.
  std::vector<LagPoint> Minutes(const LagKey& key, int64_t from) const;

  std::vector<LagKey> keys() const;
  int64_t memory_bytes() const;

 private:
  // A point without its time, which follows from its place in a ring.
  struct Slot {
    int64_t records;
    float seconds, in_rate, out_rate;
  };
  // The last `size` moments, one slot each. Arrays per field: a slot takes 20 bytes.
  class Ring {
   public:
    explicit Ring(int64_t size);
    // Forgets the moments after the newest one, up to `moment`, which becomes the newest.
    void Advance(int64_t moment);
    void Put(int64_t moment, const Slot& slot);
    bool Has(int64_t moment) const;
    Slot At(int64_t moment) const;
    int64_t newest() const { return newest_; }
    int64_t oldest() const { return newest_ - size_ + 1; }
    int64_t memory_bytes() const;

   private:
    size_t Place(int64_t moment) const { return static_cast<size_t>(moment % size_); }

    const int64_t size_;
    int64_t newest_ = -1;           // Nothing yet.
    std::vector<int64_t> records_;  // kNone: no point.
    std::vector<float> seconds_, in_rate_, out_rate_;
  };
  // The sums behind the mean rates of the newest minute.
  struct Mean {
    double sum = 0;
    int64_t count = 0;

    void Add(float value);
    float value() const;
  };
  struct Partition {
    Ring seconds{kSeconds};
    Ring minutes{kMinutes};
    Mean in_rate, out_rate;
  };

  Partition* Room(const LagKey& key, int64_t second);
  static std::vector<LagPoint> Read(const Ring& ring, int64_t from_moment, int64_t moment_seconds);

  std::map<LagKey, std::unique_ptr<Partition>> partitions_;
};

}  // namespace shopstream::observe
