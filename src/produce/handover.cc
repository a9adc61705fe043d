#include "produce/handover.h"

#include <utility>

namespace shopstream::produce {

Handover::Handover(int parcels) {
  for (int i = 0; i < parcels; ++i) empty_.push_back(std::make_unique<Parcel>());
}

std::unique_ptr<Parcel> Handover::TakeEmpty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || !empty_.empty(); });
  if (stopped_) return nullptr;
  std::unique_ptr<Parcel> parcel = std::move(empty_.back());
  empty_.pop_back();
  return parcel;
}

void Handover::GiveFull(std::unique_ptr<Parcel> parcel) {
  std::lock_guard lock(mutex_);
  full_.push_back(std::move(parcel));
  changed_.notify_all();
}

bool Handover::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

void Handover::Finish(Status end) {
  std::lock_guard lock(mutex_);
  end_ = std::move(end);
  changed_.notify_all();
}

std::unique_ptr<Parcel> Handover::TakeFull(Millis timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return end_.has_value() || !full_.empty(); });
  if (full_.empty()) return nullptr;
  std::unique_ptr<Parcel> parcel = std::move(full_.front());
  full_.erase(full_.begin());
  return parcel;
}

void Handover::GiveEmpty(std::unique_ptr<Parcel> parcel) {
  std::lock_guard lock(mutex_);
  empty_.push_back(std::move(parcel));
  changed_.notify_all();
}

void Handover::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

std::optional<Status> Handover::finished() const {
  std::lock_guard lock(mutex_);
  return full_.empty() ? end_ : std::nullopt;
}

}  // namespace shopstream::produce
