#include "console/event_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/join.h"
#include "console/reply.h"

namespace shopstream::console {
namespace {

constexpr char kHeartbeat[] = "event: heartbeat\ndata: {}\n\n";
// Proxies that buffer would hold events back.
const std::pair<std::string, std::string> kUnbuffered = {"X-Accel-Buffering", "no"};

int64_t LastEventId(const HttpRequest& request) {
  std::string text = request.query("last_event_id");
  if (text.empty()) text = request.header("Last-Event-ID");
  int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);  // Not a number: no id.
  return id;
}

}  // namespace

// Starting at the time keeps ids ascending after a restart: no channel has 1,000 events a second.
EventHub::EventHub(EventHubOptions options)
    : options_(std::move(options)), last_id_(WallClockMillis()) {}

HttpReply EventHub::Subscribe(const HttpRequest& request, std::function<bool()> permitted) {
  std::set<std::string> wanted;
  for (const std::string& channel : SplitList(request.query("channels"))) {
    if (std::ranges::find(options_.channels, channel) == options_.channels.end()) {
      return ErrorReply(400, "invalid",
                        fmt::format("there is no channel '{}'; the channels are {}", channel,
                                    Joined(options_.channels, ", ")));
    }
    wanted.insert(channel);
  }
  if (wanted.empty()) return ErrorReply(400, "invalid", "name the channels: ?channels=overview");
  const int64_t seen = LastEventId(request);
  auto stream = std::make_shared<HttpStream>(options_.most_waiting_bytes);
  const std::lock_guard lock(mutex_);
  RemoveClosed();
  if (listeners_.size() >= options_.most_streams) {
    return ErrorReply(503, "unavailable",
                      fmt::format("{} live streams are open, which is the limit; close other tabs",
                                  listeners_.size()));
  }
  HttpReply reply{200, kHeartbeat, "text/event-stream", {kUnbuffered}, {}, stream};
  for (const auto& [channel, event] : newest_) {
    if (wanted.contains(channel) && event.id > seen) reply.body += event.text;
  }
  listeners_.push_back({std::move(stream), std::move(wanted), std::move(permitted)});
  return reply;
}

void EventHub::Publish(const std::string& channel, const std::string& json) {
  const std::lock_guard lock(mutex_);
  Event& event = newest_[channel];
  event.id = ++last_id_;
  event.text = fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.id, channel, json);
  for (const Listener& listener : listeners_) {
    if (listener.channels.contains(channel)) listener.stream->Push(event.text);
  }
  RemoveClosed();
}

void EventHub::Beat(BootClock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (now - beat_at_ < options_.heartbeat) return;
  beat_at_ = now;
  CloseForbidden();
  for (const Listener& listener : listeners_) listener.stream->Push(kHeartbeat);
  RemoveClosed();
}

void EventHub::EndForbidden() {
  const std::lock_guard lock(mutex_);
  CloseForbidden();
  RemoveClosed();
}

void EventHub::CloseForbidden() {
  for (const Listener& listener : listeners_) {
    if (listener.permitted != nullptr && !listener.permitted()) listener.stream->Close();
  }
}

bool EventHub::HasListeners(const std::string& channel) const {
  const std::lock_guard lock(mutex_);
  RemoveClosed();
  return std::ranges::any_of(
      listeners_, [&](const Listener& listener) { return listener.channels.contains(channel); });
}

size_t EventHub::streams() const {
  const std::lock_guard lock(mutex_);
  RemoveClosed();
  return listeners_.size();
}

void EventHub::RemoveClosed() const {
  std::erase_if(listeners_, [](const Listener& listener) { return !listener.stream->open(); });
}

}  // namespace shopstream::console
