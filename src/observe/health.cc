#include "observe/health.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/format.h"

namespace shopstream::observe {

struct HealthRunner::Answers {
  struct Slot {
    std::optional<ComponentHealth> answer;
    bool running = false;
    int64_t started_ms = 0;
  };

  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<Slot> slots;  // Guarded by mutex.

  bool complete() const {
    return std::ranges::none_of(slots, [](const Slot& slot) { return slot.running; });
  }

  void Run(const HealthCheck& check, size_t index) {
    ComponentHealth health;
    try {
      health = check.run();
    } catch (const std::exception& e) {  // One failing check must not hide the others.
      health = {check.name, HealthState::kDown, e.what(), "report this as a defect"};
    }
    const std::lock_guard lock(mutex);
    slots[index].answer = std::move(health);
    slots[index].running = false;
    arrived.notify_all();
  }
};

HealthRunner::HealthRunner(std::vector<HealthCheck> checks)
    : checks_(std::move(checks)), answers_(std::make_shared<Answers>()) {
  answers_->slots.resize(checks_.size());
}

std::vector<ComponentHealth> HealthRunner::Run(Millis timeout) {
  std::unique_lock lock(answers_->mutex);
  const int64_t now_ms = WallClockMillis();
  for (size_t i = 0; i < checks_.size(); ++i) {
    Answers::Slot& slot = answers_->slots[i];
    if (slot.running) continue;
    slot = {.answer = std::nullopt, .running = true, .started_ms = now_ms};
    std::thread([answers = answers_, check = checks_[i], i] { answers->Run(check, i); }).detach();
  }
  answers_->arrived.wait_for(lock, timeout, [this] { return answers_->complete(); });
  std::vector<ComponentHealth> report;
  for (size_t i = 0; i < checks_.size(); ++i) {
    const Answers::Slot& slot = answers_->slots[i];
    if (slot.answer) {
      report.push_back(*slot.answer);
      continue;
    }
    const std::string silence = slot.started_ms == now_ms
                                    ? "within " + FormatMillis(timeout.count())
                                    : "since " + FormatTimestamp(slot.started_ms);
    report.push_back({checks_[i].name, HealthState::kDown, "no answer " + silence,
                      "check whether it hangs or the network drops packets"});
  }
  return report;
}

std::vector<HealthChange> HealthHistory::Add(const std::vector<ComponentHealth>& report,
                                             int64_t now_ms) {
  std::vector<HealthChange> changes;
  for (const ComponentHealth& component : report) {
    const auto [entry, is_new] =
        entries_.try_emplace(component.component, Entry{component.state, now_ms});
    if (is_new || entry->second.state == component.state) continue;
    changes.push_back({entry->second.state, component});
    entry->second = {component.state, now_ms};
  }
  return changes;
}

int64_t HealthHistory::since_ms(const std::string& component) const {
  return entries_.at(component).since_ms;
}

const char* Name(HealthState state) {
  switch (state) {
    case HealthState::kOk:
      return "ok";
    case HealthState::kDegraded:
      return "degraded";
    case HealthState::kNotAllowed:
      return "not allowed to see";
    case HealthState::kDown:
      return "down";
  }
  return "unknown";
}

}  // namespace shopstream::observe
