#include "base/probes.h"

#include <prometheus/client_metric.h>

#include <utility>

#include "base/shutdown.h"

namespace shopstream {

// Asked at each scrape: no step of a command that stops would set it.
Probes::Probes()
    : ready_(Exposed::Kind::kGauge,
             {"shopstream_ready", "1 while the command can do its work, as /readyz reports"}, {},
             [this](prometheus::ClientMetric* metric) {
               metric->gauge.value += WhyNotReady().empty() ? 1 : 0;
               return true;
             }) {}

Probes& Probes::OfProcess() {
  static auto* const probes = new Probes;  // Outlives the threads that use it.
  return *probes;
}

void Probes::SetUnready(std::string why) {
  const std::lock_guard lock(mutex_);
  unready_ = std::move(why);
}

std::string Probes::WhyNotLive(BootClock::time_point now) const {
  const auto silence = std::chrono::duration_cast<std::chrono::seconds>(now - beat_.load());
  if (silence < kStalledAfter) return "";
  return "the main loop has not come round for " + std::to_string(silence.count()) +
         " s; the limit is " + std::to_string(kStalledAfter.count()) + " s";
}

std::string Probes::WhyNotReady() const {
  if (ShutdownRequested()) return "stopping";
  const std::lock_guard lock(mutex_);
  return unready_;
}

}  // namespace shopstream
