#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/quarantine_replay.h"

namespace shopstream::console {

nlohmann::ordered_json ToJson(const ingest::ReplaySummary& summary);

// A replay of quarantine that runs in the background, one at a time. Thread-safe.
class ReplayJob {
 public:
  using Run = std::function<Result<ingest::ReplaySummary>(const ingest::ReplayFilter& filter,
                                                          ingest::QuarantineReplay::Options)>;
  struct State {
    int64_t number = 0;  // 0: there was none since the console's start.
    ingest::ReplayFilter filter = {};
    bool running = false;
    bool cancelled = false;              // It was asked to stop.
    std::string error = {};              // Why it failed; empty: it did not.
    ingest::ReplaySummary summary = {};  // So far.
    int64_t started_ms = 0, ended_ms = 0;
  };

  using OnEnd = std::function<void(const State&)>;

  explicit ReplayJob(Run run) : run_(std::move(run)) {}
  ~ReplayJob();  // Stops it; what is committed stays.
  ReplayJob(const ReplayJob&) = delete;
  ReplayJob& operator=(const ReplayJob&) = delete;

  // Invalid: one is running. Waits for its end until `patience` is over; if it runs on, its thread
  // calls `on_end` at its end.
  Result<State> Start(const ingest::ReplayFilter& filter, Millis patience, OnEnd on_end = {});
  // Invalid: none is running.
  Result<State> Cancel();
  State state() const;

 private:
  void Work(const ingest::ReplayFilter& filter);

  const Run run_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  State state_;         // Guarded by mutex_.
  bool stop_ = false;   // Likewise.
  OnEnd on_end_;        // Likewise. Null: nobody is told.
  std::thread thread_;  // Started and joined under mutex_, or by the destructor.
};
nlohmann::ordered_json ToJson(const ReplayJob::State& state);

}  // namespace shopstream::console
