#include "console/event_hub.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shopstream::console {
namespace {

class EventHubTest : public testing::Test {
 protected:
  HttpReply Subscribe(const std::string& query, const std::string& last_id = "") {
    HttpRequest request;
    request.raw_query = query;
    request.header = [last_id](const std::string& name) {
      return name == "Last-Event-ID" ? last_id : std::string();
    };
    HttpReply reply = hub_.Subscribe(request);
    replies_.push_back(reply);  // Like the server, which keeps the stream.
    return reply;
  }
  static std::string Pushed(const HttpReply& reply) {
    return StreamReader::Take(reply.stream.get()).value_or("(closed)");
  }
  // The id of the first event of a text.
  static std::string IdIn(const std::string& text) {
    const size_t begin = text.find("id: ") + 4;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  std::vector<HttpReply> replies_;
  EventHub hub_{{.channels = {"overview", "topics"}, .most_streams = 3, .most_waiting_bytes = 200}};
};

TEST_F(EventHubTest, GivesEachListenerItsChannels) {
  const HttpReply overview = Subscribe("channels=overview");
  const HttpReply both = Subscribe("channels=overview,topics");
  hub_.Publish("topics", R"({"a":1})");
  EXPECT_EQ(Pushed(overview), "");
  const std::string event = Pushed(both);
  EXPECT_EQ(event, "id: " + IdIn(event) + "\nevent: topics\ndata: {\"a\":1}\n\n");
}

TEST_F(EventHubTest, BeginsWithTheNewestValueOfEachChannel) {
  hub_.Publish("overview", "1");
  hub_.Publish("overview", "2");
  const std::string body = Subscribe("channels=overview").body;
  EXPECT_EQ(body.find("data: 1"), std::string::npos);
  EXPECT_NE(body.find("data: 2"), std::string::npos);
}

TEST_F(EventHubTest, ResumesAfterTheLastId) {
  hub_.Publish("overview", "1");
  hub_.Publish("topics", "2");
  const std::string seen = IdIn(Subscribe("channels=overview").body);
  const std::string resumed = Subscribe("channels=overview,topics", seen).body;
  EXPECT_EQ(resumed.find("data: 1"), std::string::npos);
  EXPECT_NE(resumed.find("data: 2"), std::string::npos);
  const std::string by_query = Subscribe("channels=overview&last_event_id=" + seen).body;
  EXPECT_EQ(by_query.find("data: 1"), std::string::npos);
}

TEST_F(EventHubTest, SendsHeartbeatsWhenTheyAreDue) {
  const HttpReply reply = Subscribe("channels=overview");
  const BootClock::time_point now = BootClock::now();
  hub_.Beat(now);
  EXPECT_EQ(Pushed(reply), "event: heartbeat\ndata: {}\n\n");
  hub_.Beat(now + Millis{9'999});
  EXPECT_EQ(Pushed(reply), "");
  hub_.Beat(now + Millis{10'000});
  EXPECT_EQ(Pushed(reply), "event: heartbeat\ndata: {}\n\n");
}

TEST_F(EventHubTest, RefusesUnknownChannelsAndTooManyStreams) {
  EXPECT_EQ(Subscribe("channels=overview,secrets").status, 400);
  EXPECT_EQ(Subscribe("").status, 400);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Subscribe("channels=topics").status, 200);
  EXPECT_EQ(Subscribe("channels=topics").status, 503);
  replies_.back().stream.reset();
  replies_[2].stream->Close();
  EXPECT_EQ(Subscribe("channels=topics").status, 200);
}

TEST_F(EventHubTest, ALargeValueDisconnectsNobodyWhoReads) {
  const HttpReply reply = Subscribe("channels=overview,topics");
  const std::string large = '"' + std::string(1000, 'x') + '"';
  for (int pass = 0; pass < 3; ++pass) {
    hub_.Publish("overview", "1");
    hub_.Publish("topics", large);
    hub_.Publish("overview", "2");
    const std::string pushed = Pushed(reply);
    EXPECT_NE(pushed.find(large), std::string::npos);
    EXPECT_NE(pushed.find("data: 2"), std::string::npos);
  }
  for (int i = 0; i < 5; ++i) hub_.Publish("topics", large);
  EXPECT_FALSE(reply.stream->open());
}

TEST_F(EventHubTest, EndsAStreamThatIsNoLongerPermitted) {
  bool permitted = true;
  const auto follow = [&] {
    HttpRequest request;
    request.raw_query = "channels=overview";
    request.header = [](const std::string&) { return std::string(); };
    return hub_.Subscribe(request, [&] { return permitted; });
  };
  const HttpReply first = follow();
  const HttpReply anybodys = Subscribe("channels=overview");
  const BootClock::time_point now = BootClock::now();
  hub_.Beat(now);
  hub_.EndForbidden();
  EXPECT_TRUE(first.stream->open());
  permitted = false;
  hub_.Beat(now + Millis{10'000});
  EXPECT_FALSE(first.stream->open());
  const HttpReply second = follow();
  hub_.EndForbidden();
  EXPECT_FALSE(second.stream->open());
  EXPECT_TRUE(anybodys.stream->open());
}

TEST_F(EventHubTest, DropsASlowReader) {
  const HttpReply slow = Subscribe("channels=overview");
  EXPECT_TRUE(hub_.HasListeners("overview"));
  for (int i = 0; i < 10; ++i) hub_.Publish("overview", "\"123456789012345678901234567890\"");
  EXPECT_FALSE(slow.stream->open());
  EXPECT_FALSE(hub_.HasListeners("overview"));
  EXPECT_EQ(hub_.streams(), 0U);
}

}  // namespace
}  // namespace shopstream::console
