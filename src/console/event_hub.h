#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http_message.h"
#include "base/http_stream.h"

namespace shopstream::console {

struct EventHubOptions {
  std::vector<std::string> channels;
  size_t most_streams = 200;
  // What may wait for one browser; a slower one is disconnected, and returns.
  size_t most_waiting_bytes = 1 << 20;
  Millis heartbeat{10'000};
};

// Server-sent events (HTML Living Standard, 9.2): values of channels, for all browsers that follow
// them.
//
//   stream := event*
//   event  := "id: " number "\n" "event: " channel "\n" "data: " json "\n\n"
//           | "event: heartbeat\n" "data: {}\n\n"
//
// Ids ascend, also over restarts. Thread-safe.
class EventHub {
 public:
  explicit EventHub(EventHubOptions options);

  // GET /api/stream?channels=a,b[&last_event_id=N], or with the header Last-Event-ID. Begins with
  // the newest value of each channel that is newer than that id. The stream ends at the first
  // heartbeat, or call of EndForbidden, at which `permitted` says no; null: it never does.
  HttpReply Subscribe(const HttpRequest& request, std::function<bool()> permitted = {});

  void Publish(const std::string& channel, const std::string& json);
  // Sends a heartbeat if one is due, which also finds browsers that are gone.
  void Beat(BootClock::time_point now);
  void EndForbidden();
  bool HasListeners(const std::string& channel) const;
  size_t streams() const;

 private:
  struct Listener {
    std::shared_ptr<HttpStream> stream;
    std::set<std::string> channels;
    std::function<bool()> permitted;
  };
  struct Event {
    int64_t id = 0;
    std::string text;
  };

  void CloseForbidden();
  void RemoveClosed() const;

  const EventHubOptions options_;
  mutable std::mutex mutex_;
  mutable std::vector<Listener> listeners_;  // Guarded by mutex_, like all below.
  std::map<std::string, Event> newest_;      // By channel.
  int64_t last_id_;
  BootClock::time_point beat_at_{};
};

}  // namespace shopstream::console
