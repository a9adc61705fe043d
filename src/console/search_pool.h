#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "console/record_search.h"

namespace shopstream::console {

// Searches that wait to be continued, by cursor: each keeps its connections for a while, so that
// the next slice is fast. Thread-safe.
class SearchPool {
 public:
  static constexpr Millis kKept{30'000};
  static constexpr size_t kMostKept = 8;
  static constexpr int kMostRunning = 4;  // Each has a client of its own, and up to 50 MB.

  SearchPool();
  ~SearchPool();
  SearchPool(const SearchPool&) = delete;
  SearchPool& operator=(const SearchPool&) = delete;

  // Counts as running while it exists.
  class Turn {
   public:
    explicit Turn(SearchPool* pool) : pool_(pool) {}
    Turn(Turn&& other) noexcept : pool_(other.pool_) { other.pool_ = nullptr; }
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    SearchPool* pool_;  // Null: moved away.
  };
  // Unavailable: kMostRunning others run.
  Result<Turn> Begin();

  // Null: none waits for the cursor.
  std::unique_ptr<RecordSearch> Take(const std::string& cursor);
  // The one that has waited longest gives way.
  void Keep(const std::string& cursor, std::unique_ptr<RecordSearch> search);
  // Closes it on another thread, because that takes a while.
  void Close(std::unique_ptr<RecordSearch> search);

 private:
  struct Kept {
    std::unique_ptr<RecordSearch> search;
    BootClock::time_point until;
  };
  using Searches = std::multimap<std::string, Kept>;

  void Add(const std::string& cursor, std::unique_ptr<RecordSearch> search, Millis kept);
  void CloseExpired();
  Searches::iterator Oldest();

  std::mutex mutex_;
  std::condition_variable changed_;
  Searches kept_;  // Guarded by mutex_, like all below.
  int running_ = 0;
  bool stopping_ = false;
  std::thread closer_;  // Starts last.
};

}  // namespace shopstream::console
