#include "console/replay_job.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/json.h"
#include "base/json_or_null.h"
#include "base/shutdown.h"

namespace shopstream::console {

using nlohmann::ordered_json;

ReplayJob::~ReplayJob() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    state_.cancelled = state_.running;
  }
  if (thread_.joinable()) thread_.join();
}

Result<ReplayJob::State> ReplayJob::Start(const ingest::ReplayFilter& filter, Millis patience,
                                          OnEnd on_end) {
  std::unique_lock lock(mutex_);
  if (state_.running) {
    return Status::Invalid("a replay is already running: wait for its end, or cancel it");
  }
  if (thread_.joinable()) thread_.join();  // It no longer needs the mutex.
  State begun;
  begun.number = state_.number + 1;
  begun.filter = filter;
  begun.running = true;
  begun.started_ms = WallClockMillis();
  state_ = std::move(begun);
  stop_ = false;
  on_end_ = nullptr;
  thread_ = std::thread([this, filter] { Work(filter); });
  ended_.wait_for(lock, std::chrono::milliseconds(patience.count()),
                  [&] { return !state_.running; });
  if (state_.running) on_end_ = std::move(on_end);
  return state_;
}

void ReplayJob::Work(const ingest::ReplayFilter& filter) {
  ingest::QuarantineReplay::Options options;
  options.stop = [this] {
    const std::lock_guard lock(mutex_);
    return stop_ || ShutdownRequested();
  };
  options.progress = [this](const ingest::ReplaySummary& summary) {
    const std::lock_guard lock(mutex_);
    state_.summary = summary;
  };
  const auto summary = [&]() -> Result<ingest::ReplaySummary> {
    try {
      return run_(filter, std::move(options));
    } catch (const std::exception& e) {  // It would end the console.
      return Status::UnknownError("unexpected failure: ", e.what());
    }
  }();
  std::unique_lock lock(mutex_);
  if (summary.ok()) {
    state_.summary = *summary;
  } else if (!summary.status().IsCancelled()) {
    state_.error = summary.status().message();
  }
  state_.running = false;
  state_.ended_ms = WallClockMillis();
  ended_.notify_all();
  const State ended = state_;
  const OnEnd on_end = std::exchange(on_end_, nullptr);
  lock.unlock();
  if (on_end != nullptr) on_end(ended);
}

Result<ReplayJob::State> ReplayJob::Cancel() {
  const std::lock_guard lock(mutex_);
  if (!state_.running) return Status::Invalid("no replay is running");
  stop_ = true;
  state_.cancelled = true;
  return state_;
}

ReplayJob::State ReplayJob::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

ordered_json ToJson(const ingest::ReplaySummary& summary) {
  ordered_json groups = ordered_json::array();
  for (const auto& [group, counts] : summary.groups) {
    groups.push_back({{"cause", group.cause},
                      {"schema_id", OrNull(group.schema_id)},
                      {"replayed", counts.replayed},
                      {"already_there", counts.already_there},
                      {"awaited", counts.awaited},
                      {"unreadable", counts.unreadable}});
  }
  ordered_json unreadable = ordered_json::object();
  for (const auto& [cause, records] : summary.unreadable) unreadable[cause] = records;
  return {{"examined", summary.examined()},
          {"replayed", summary.replayed},
          {"already_there", summary.already_there},
          {"awaited", summary.awaited},
          {"unreadable", std::move(unreadable)},
          {"commits", summary.commits},
          {"groups", std::move(groups)}};
}

ordered_json ToJson(const ReplayJob::State& state) {
  if (state.number == 0) return {{"exists", false}};
  ordered_json out = {{"exists", true},
                      {"number", state.number},
                      {"cause", state.filter.cause},
                      {"state", state.running          ? "running"
                                : !state.error.empty() ? "failed"
                                : state.cancelled      ? "cancelled"
                                                       : "done"},
                      {"started_ms", state.started_ms}};
  if (!state.running) out["ended_ms"] = state.ended_ms;
  if (!state.error.empty()) out["error"] = state.error;
  out["summary"] = ToJson(state.summary);
  return out;
}

}  // namespace shopstream::console
