#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/stop.h"
#include "console/api.h"
#include "console/event_hub.h"
#include "observe/sampler.h"

namespace shopstream::console {

// Publishes what GET /api/NAME answers in the channel NAME whenever a sample is new, while somebody
// listens. On its own thread, until destruction.
class LiveFeed {
 public:
  static std::vector<std::string> Channels();

  // Borrowed; they outlive the feed.
  LiveFeed(const std::vector<ApiRoute>& routes, observe::Sampler& sampler, EventHub& hub);
  ~LiveFeed();

 private:
  void Run();
  void Publish(const std::string& channel, const Read& read);

  observe::Sampler& sampler_;
  EventHub& hub_;
  std::map<std::string, const Read*> reads_;  // By channel.
  std::map<std::string, int64_t> published_;  // The sequence of the sample, by channel.
  StopSource stop_;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace shopstream::console
