#include "observe/lag_history.h"

#include <algorithm>

namespace shopstream::observe {
namespace {

constexpr int64_t kSecondsOfMinute = 60;
constexpr int64_t kNoPoint = -1;

}  // namespace

LagHistory::Ring::Ring(int64_t size)
    : size_(size),
      records_(static_cast<size_t>(size), kNoPoint),
      seconds_(static_cast<size_t>(size)),
      in_rate_(static_cast<size_t>(size)),
      out_rate_(static_cast<size_t>(size)) {}

void LagHistory::Ring::Advance(int64_t moment) {
  const int64_t first_skipped = std::max(newest_ + 1, moment - size_ + 1);
  for (int64_t skipped = first_skipped; skipped <= moment; ++skipped) {
    records_[Place(skipped)] = kNoPoint;
  }
  newest_ = std::max(newest_, moment);
}

void LagHistory::Ring::Put(int64_t moment, const Slot& slot) {
  const size_t at = Place(moment);
  records_[at] = slot.records;
  seconds_[at] = slot.seconds;
  in_rate_[at] = slot.in_rate;
  out_rate_[at] = slot.out_rate;
}

bool LagHistory::Ring::Has(int64_t moment) const {
  return moment >= std::max<int64_t>(0, oldest()) && moment <= newest_ &&
         records_[Place(moment)] != kNoPoint;
}

LagHistory::Slot LagHistory::Ring::At(int64_t moment) const {
  const size_t at = Place(moment);
  return {records_[at], seconds_[at], in_rate_[at], out_rate_[at]};
}

int64_t LagHistory::Ring::memory_bytes() const {
  const size_t slot =
      sizeof(records_[0]) + sizeof(seconds_[0]) + sizeof(in_rate_[0]) + sizeof(out_rate_[0]);
  return static_cast<int64_t>(records_.capacity() * slot);
}

void LagHistory::Mean::Add(float value) {
  if (value < 0) return;
  sum += value;
  ++count;
}

float LagHistory::Mean::value() const {
  return count == 0 ? -1 : static_cast<float>(sum / static_cast<double>(count));
}

// Null: there is none.
LagHistory::Partition* LagHistory::Room(const LagKey& key, int64_t second) {
  const auto found = partitions_.find(key);
  if (found != partitions_.end()) return found->second.get();
  if (partitions_.size() >= kMostPartitions) {
    const auto stalest = std::ranges::min_element(
        partitions_, {}, [](const auto& entry) { return entry.second->seconds.newest(); });
    if (stalest->second->seconds.newest() > second - kSecondsOfMinute) return nullptr;
    partitions_.erase(stalest);
  }
  return partitions_.emplace(key, std::make_unique<Partition>()).first->second.get();
}

bool LagHistory::Add(const LagKey& key, const LagPoint& point) {
  Partition* const partition = Room(key, point.second);
  if (partition == nullptr || point.second < partition->seconds.newest()) return false;
  Slot slot{point.records, point.seconds, point.in_rate, point.out_rate};
  partition->seconds.Advance(point.second);
  partition->seconds.Put(point.second, slot);

  const int64_t minute = point.second / kSecondsOfMinute;
  Ring& minutes = partition->minutes;
  if (minute != minutes.newest()) {
    partition->in_rate = {};
    partition->out_rate = {};
  } else {
    const Slot before = minutes.At(minute);
    slot.records = std::max(slot.records, before.records);
    slot.seconds = std::max(slot.seconds, before.seconds);
  }
  minutes.Advance(minute);
  partition->in_rate.Add(point.in_rate);
  partition->out_rate.Add(point.out_rate);
  slot.in_rate = partition->in_rate.value();
  slot.out_rate = partition->out_rate.value();
  minutes.Put(minute, slot);
  return true;
}

std::vector<LagPoint> LagHistory::Read(const Ring& ring, int64_t from_moment,
                                       int64_t moment_seconds) {
  std::vector<LagPoint> points;
  for (int64_t moment = std::max({from_moment, ring.oldest(), int64_t{0}}); moment <= ring.newest();
       ++moment) {
    if (!ring.Has(moment)) continue;
    const Slot slot = ring.At(moment);
    points.push_back({.second = moment * moment_seconds,
                      .records = slot.records,
                      .seconds = slot.seconds,
                      .in_rate = slot.in_rate,
                      .out_rate = slot.out_rate});
  }
  return points;
}

std::vector<LagPoint> LagHistory::Seconds(const LagKey& key, int64_t from) const {
  const auto found = partitions_.find(key);
  if (found == partitions_.end()) return {};
  return Read(found->second->seconds, from, 1);
}

std::vector<LagPoint> LagHistory::Minutes(const LagKey& key, int64_t from) const {
  const auto found = partitions_.find(key);
  if (found == partitions_.end()) return {};
  return Read(found->second->minutes, from / kSecondsOfMinute, kSecondsOfMinute);
}

std::vector<LagKey> LagHistory::keys() const {
  std::vector<LagKey> keys;
  for (const auto& entry : partitions_) keys.push_back(entry.first);
  return keys;
}

int64_t LagHistory::memory_bytes() const {
  int64_t bytes = 0;
  for (const auto& [key, partition] : partitions_) {
    bytes += static_cast<int64_t>(sizeof(Partition) + sizeof(LagKey) + key.group.capacity() +
                                  key.topic.capacity()) +
             partition->seconds.memory_bytes() + partition->minutes.memory_bytes();
  }
  return bytes;
}

}  // namespace shopstream::observe
