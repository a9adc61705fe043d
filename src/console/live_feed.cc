#include "console/live_feed.h"

#include <exception>
#include <iterator>

#include "base/json.h"
#include "base/log.h"

namespace shopstream::console {
namespace {

constexpr Millis kPause{250};
constexpr const char* kChannels[] = {"overview", "topics", "groups"};

void Warn(const std::string& channel, const std::string& why) {
  Log::WarnOnce("console channel " + channel, Millis{0}, "console: " + channel + ": " + why);
}

}  // namespace

std::vector<std::string> LiveFeed::Channels() {
  return {std::begin(kChannels), std::end(kChannels)};
}

LiveFeed::LiveFeed(const std::vector<ApiRoute>& routes, observe::Sampler& sampler, EventHub& hub)
    : sampler_(sampler), hub_(hub) {
  for (const std::string channel : kChannels) {
    for (const ApiRoute& route : routes) {
      const Read* read = std::get_if<Read>(&route.handler);
      if (route.method != "GET" || route.pattern != "/api/" + channel || read == nullptr) continue;
      reads_.emplace(channel, read);
    }
  }
  thread_ = std::thread([this] { Run(); });
}

LiveFeed::~LiveFeed() {
  stop_.Request();
  thread_.join();
}

void LiveFeed::Run() {
  do {
    const int64_t sequence = sampler_.Latest().sequence();
    for (const auto& [channel, read] : reads_) {
      if (!hub_.HasListeners(channel)) continue;
      int64_t& published = published_.try_emplace(channel, -1).first->second;
      if (published == sequence) continue;
      published = sequence;
      try {
        Publish(channel, *read);
      } catch (const std::exception& e) {  // The other channels, and the next sample, follow.
        Warn(channel, std::string("unexpected failure: ") + e.what());
      }
    }
    hub_.Beat(BootClock::now());
  } while (!stop_.WaitFor(kPause));
}

void LiveFeed::Publish(const std::string& channel, const Read& read) {
  HttpRequest request;
  request.header = [](const std::string&) { return std::string(); };
  const nlohmann::json none = nlohmann::json::object();
  const auto answer = read(ApiRequest{request, none});
  if (!answer.ok()) {
    Warn(channel, answer.status().message());
    return;
  }
  hub_.Publish(channel, DumpJson(*answer));
}

}  // namespace shopstream::console
