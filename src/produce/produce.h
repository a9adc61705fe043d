#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "generate/event_source.h"

namespace shopstream::produce {

struct ProduceOptions {
  double rate = 0;     // Events per second; 0: as fast as the brokers accept them.
  int64_t count = 0;   // Stops after this many events; 0: with the source.
  Millis duration{0};  // Stops after this time; 0: with the source.
  // How long to wait for acknowledgements at the end, including after Ctrl-C.
  Millis flush_timeout{30'000};
  bool silent = false;  // No progress on stderr.
};

struct ProduceSummary {
  int64_t events = 0;  // Passed to the client: acknowledged + failed.
  int64_t acknowledged = 0;
  int64_t failed = 0;
  int64_t malformed = 0;  // Deliberately broken, late or repeated events.
  int64_t late = 0;
  int64_t duplicates = 0;
  int64_t bytes = 0;         // Total size of values, uncompressed.
  double seconds = 0;        // From the first event to the last acknowledgement.
  bool interrupted = false;  // By a signal.
  std::string first_error;   // Reason of the first failed delivery.

  // Acknowledged events per second.
  double rate() const { return seconds > 0 ? static_cast<double>(acknowledged) / seconds : 0; }
};
nlohmann::ordered_json ToJson(const ProduceSummary& summary);

// Registers the purchase event's schema and sends the source's events to kafka.topic, until the
// source ends, a limit is reached, a stop is requested or a delivery fails (after the client has
// tried for two minutes). The summary counts failed deliveries; a Status means that nothing could
// be produced: no broker, no topic, no registry, or a source that fails.
Result<ProduceSummary> Produce(generate::EventSource* source, const Config& config,
                               const ProduceOptions& options);

}  // namespace shopstream::produce
