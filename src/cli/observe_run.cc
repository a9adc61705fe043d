#include "cli/observe_run.h"

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/probes.h"
#include "base/progress_line.h"
#include "base/shutdown.h"
#include "observe/sample_metrics.h"

namespace shopstream::cli {
namespace {

constexpr Millis kShowInterval{250};

// Logs why a part is missing when that begins or changes, and that it is back.
class MissingLog {
 public:
  void Show(const observe::Sample& sample) {
    std::map<std::string, std::string> missing;
    for (const auto& [part, why] : observe::Missing(sample)) missing[part] = why;
    for (const auto& [part, why] : missing) {
      const auto before = missing_.find(part);
      if (before != missing_.end() && before->second == why) continue;
      Log::Warn("observe: {}: {}", Printable(part), Printable(why));
    }
    for (const auto& [part, why] : missing_) {
      if (!missing.contains(part)) Log::Info("observe: {} is back", Printable(part));
    }
    missing_ = std::move(missing);
  }

 private:
  std::map<std::string, std::string> missing_;  // Why, by part.
};

std::string ProgressText(const observe::Sample& sample) {
  const std::string lag = sample.lag.known() ? observe::Describe(*sample.lag.value)
                                             : "lag unknown: " + Printable(sample.lag.unknown);
  int64_t up = 0;
  for (size_t i = 0; sample.brokers.known() && i < sample.brokers.value->brokers.size(); ++i) {
    up += sample.brokers.value->brokers[i].up ? 1 : 0;
  }
  const auto missing = static_cast<int64_t>(observe::Missing(sample).size());
  return fmt::format("{} · {} up · {}", lag, Counted(up, "broker"),
                     missing == 0 ? "all parts seen" : Counted(missing, "problem"));
}

bool IsComplete(const observe::Sample& sample) {
  const auto asked = [](const auto& part) {  // A part that is late counts.
    return part.looks > 0 || part.unknown != observe::kNoAnswerYet;
  };
  return asked(sample.brokers) && asked(sample.topics) && asked(sample.groups) &&
         asked(sample.registry) && asked(sample.quarantine) && asked(sample.lag);
}

}  // namespace

Result<int> ShowSamples(const Context& context, observe::Sampler& sampler, SampleOutput output) {
  const ObserveConfig& shown_as_metrics = context.config.observe;
  observe::SampleMetrics metrics(&Metrics(), {.all_topics = shown_as_metrics.topics == "all",
                                              .all_groups = shown_as_metrics.groups == "all"});
  MissingLog missing;
  ProgressLine line({.in_place = Millis{900}, .logged = Millis{60'000}}, BootClock::now());
  const Millis interval{context.config.observe.interval_ms};
  BootClock::time_point print_at{};
  int64_t shown = -1;
  while (!SleepUnlessShutdown(kShowInterval)) {
    const observe::Sample sample = sampler.Latest();
    if (sample.sequence() != shown) metrics.Show(sample);
    const bool complete = IsComplete(sample);
    Probes::OfProcess().Beat();
    Probes::OfProcess().SetUnready(complete ? "" : "the first samples are being taken");
    if (complete && sample.sequence() != shown) missing.Show(sample);
    shown = sample.sequence();
    const BootClock::time_point now = BootClock::now();
    if (output.json && complete && now >= print_at) {
      std::cout << DumpJson(observe::ToJson(sample)) << std::endl;
      if (!std::cout) break;  // Nobody reads it any more.
      print_at = now + interval;
    }
    if (output.line && complete && line.IsDue(now)) line.Show(ProgressText(sample), now);
  }
  line.End();
  return kDone;
}

}  // namespace shopstream::cli
