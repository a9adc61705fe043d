#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "generate/event_source.h"

namespace shopstream::produce {

struct ProduceOptions {
  double rate = 0;     // Events a second; 0: as fast as the brokers take them.
  int64_t count = 0;   // Ends after as many events; 0: with the source.
  Millis duration{0};  // Ends after so long; 0: with the source.
  // What was handed to the client by then is waited for this long, also after Ctrl-C.
  Millis flush_timeout{30'000};
  bool silent = false;  // No progress on stderr.
};

struct ProduceSummary {
  int64_t events = 0;  // Handed to the client: acknowledged + failed.
  int64_t acknowledged = 0;
  int64_t failed = 0;
  int64_t malformed = 0;  // Of the events: broken on purpose, late, repeated.
  int64_t late = 0;
  int64_t duplicates = 0;
  int64_t bytes = 0;         // Of the values, uncompressed.
  double seconds = 0;        // From the first event to the last acknowledgement.
  bool interrupted = false;  // By a signal.
  std::string first_error;   // Why the first delivery failed.
};

// Registers the purchase event's schema and sends the source's events to kafka.topic, until the
// source ends, one of the limits is reached, a stop is asked for or a delivery fails (the client
// has then tried for two minutes). Failed deliveries are counted in the summary; a Status tells
// that nothing could be produced: no broker, no topic, no registry, a source that fails.
Result<ProduceSummary> Produce(generate::EventSource* source, const Config& config,
                               const ProduceOptions& options);

}  // namespace shopstream::produce
