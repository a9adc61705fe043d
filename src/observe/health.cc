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
namespace {

constexpr Millis kTogether{50};

}  // namespace

struct HealthRunner::Answers {
  struct Slot {
    std::optional<ComponentHealth> answer;  // The latest; nothing: none yet in this run.
    bool running = false;
    bool is_new = false;   // Something that no report has shown.
    bool is_late = false;  // It runs, and a report has shown that it is late.
    int64_t started_ms = 0;
    BootClock::time_point started{}, answered{};
  };

  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<Slot> slots;  // Guarded by mutex.

  bool complete() const {
    return std::ranges::none_of(slots, [](const Slot& slot) { return slot.running; });
  }
  bool has_news() const {
    return std::ranges::any_of(slots, [](const Slot& slot) { return slot.is_new; });
  }

  // On a new thread. The lock is held.
  static void Start(const std::shared_ptr<Answers>& answers, const HealthCheck& check, size_t i) {
    Slot& slot = answers->slots[i];
    slot.running = true;
    slot.is_late = false;
    slot.started_ms = WallClockMillis();
    slot.started = BootClock::now();
    std::thread([answers, check, i] { answers->Run(check, i); }).detach();
  }

  void Run(const HealthCheck& check, size_t index) {
    ComponentHealth health;
    try {
      health = check.run();
    } catch (const std::exception& e) {  // One failing check must not hide the others.
      health = {check.name, HealthState::kDown, e.what(), "report this as a defect"};
    }
    const std::lock_guard lock(mutex);
    Slot& slot = slots[index];
    slot.answer = std::move(health);
    slot.running = false;
    slot.is_new = true;
    slot.answered = BootClock::now();
    arrived.notify_all();
  }
};

HealthRunner::HealthRunner(std::vector<HealthCheck> checks)
    : checks_(std::move(checks)), answers_(std::make_shared<Answers>()) {
  answers_->slots.resize(checks_.size());
}

std::vector<ComponentHealth> HealthRunner::Run(Millis timeout) {
  std::unique_lock lock(answers_->mutex);
  std::vector<bool> is_new(checks_.size());
  for (size_t i = 0; i < checks_.size(); ++i) {
    if (answers_->slots[i].running) continue;
    answers_->slots[i].answer.reset();
    Answers::Start(answers_, checks_[i], i);
    is_new[i] = true;
  }
  answers_->arrived.wait_for(lock, timeout, [this] { return answers_->complete(); });
  std::vector<ComponentHealth> report;
  for (size_t i = 0; i < checks_.size(); ++i) {
    const auto& answer = answers_->slots[i].answer;
    answers_->slots[i].is_new = false;
    report.push_back(
        answer ? *answer
               : NoAnswer(i, is_new[i] ? "within " + FormatMillis(timeout.count()) : Since(i)));
  }
  return report;
}

std::optional<std::vector<ComponentHealth>> HealthRunner::Next(Millis interval, Millis timeout,
                                                               Millis wait) {
  std::unique_lock lock(answers_->mutex);
  for (size_t i = 0; i < checks_.size(); ++i) {
    const Answers::Slot& slot = answers_->slots[i];
    const bool is_due = BootClock::now() - slot.answered >= interval;
    if (!slot.running && is_due) Answers::Start(answers_, checks_[i], i);
  }
  answers_->arrived.wait_for(lock, wait, [this] { return answers_->has_news(); });
  if (answers_->has_news()) {  // Answers that arrive together are one report.
    answers_->arrived.wait_for(lock, kTogether, [this] { return answers_->complete(); });
  }
  for (Answers::Slot& slot : answers_->slots) {
    if (!slot.running || slot.is_late || BootClock::now() - slot.started < timeout) continue;
    slot.is_late = slot.is_new = true;
  }
  if (!answers_->has_news()) return std::nullopt;
  std::vector<ComponentHealth> report;
  for (size_t i = 0; i < checks_.size(); ++i) {
    Answers::Slot& slot = answers_->slots[i];
    slot.is_new = false;
    const bool has_answer = slot.answer && !(slot.running && slot.is_late);
    report.push_back(has_answer ? *slot.answer : NoAnswer(i, Since(i)));
  }
  return report;
}

std::string HealthRunner::Since(size_t check) const {
  return "since " + FormatTimestamp(answers_->slots[check].started_ms);
}

ComponentHealth HealthRunner::NoAnswer(size_t check, const std::string& silence) const {
  return {checks_[check].name, HealthState::kDown, "no answer " + silence,
          "check whether it hangs or the network drops packets"};
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
