#include "console/search_pool.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::console {

SearchPool::SearchPool() : closer_([this] { CloseExpired(); }) {}

SearchPool::~SearchPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  closer_.join();
}

SearchPool::Turn::~Turn() {
  if (pool_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  --pool_->running_;
}

Result<SearchPool::Turn> SearchPool::Begin() {
  const std::lock_guard lock(mutex_);
  if (running_ >= kMostRunning) {
    return Unavailable("the console runs ", kMostRunning,
                       " searches at the same time: try again in a moment");
  }
  ++running_;
  return Turn(this);
}

SearchPool::Searches::iterator SearchPool::Oldest() {
  return std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.until; });
}

std::unique_ptr<RecordSearch> SearchPool::Take(const std::string& cursor) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(cursor);
  if (found == kept_.end()) return nullptr;
  auto search = std::move(found->second.search);
  kept_.erase(found);
  return search;
}

void SearchPool::Keep(const std::string& cursor, std::unique_ptr<RecordSearch> search) {
  Add(cursor, std::move(search), kKept);
}

void SearchPool::Close(std::unique_ptr<RecordSearch> search) {
  Add("closing", std::move(search), Millis{0});  // That is no cursor.
}

void SearchPool::Add(const std::string& cursor, std::unique_ptr<RecordSearch> search, Millis kept) {
  std::unique_ptr<RecordSearch> closed;  // Outside the lock: to close a client takes time.
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMostKept) {
    const auto oldest = Oldest();
    closed = std::move(oldest->second.search);
    kept_.erase(oldest);
  }
  kept_.emplace(cursor, Kept{std::move(search), BootClock::now() + kept});
  changed_.notify_all();
}

void SearchPool::CloseExpired() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (kept_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto oldest = Oldest();
    const auto left = oldest->second.until - BootClock::now();
    if (left > BootClock::duration::zero()) {
      changed_.wait_for(lock, left);
      continue;
    }
    auto closed = std::move(oldest->second.search);
    kept_.erase(oldest);
    lock.unlock();
    closed.reset();
    lock.lock();
  }
}

}  // namespace shopstream::console
