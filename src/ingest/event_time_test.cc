#include "ingest/event_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "avro/decoder.h"
#include "base/format.h"
#include "ingest/testing.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

using ::testing::AllOf;
using testing::AppendLong;
using ::testing::HasSubstr;
using testing::kDay;
using testing::kOct24;
using ::testing::Not;

constexpr char kMillis[] = R"({"type": "long", "logicalType": "timestamp-millis"})";

// Reads the event time of records with one field `at` of a given type.
class EventTimeTest : public ::testing::Test {
 protected:
  void Fields(const std::string& fields) {
    const auto schema =
        avro::Schema::Parse(R"({"type": "record", "name": "E", "fields": [)" + fields + "]}");
    ASSERT_TRUE(schema.ok()) << schema.status();
    schema_ = *schema;
  }
  void At(const std::string& type) { Fields(R"({"name": "at", "type": )" + type + "}"); }
  Result<EventTime> Resolve() {
    return ResolveEventTime(avro::ColumnPaths(schema_, **avro::ToArrowSchema(schema_)), options_);
  }
  std::string Error() { return Resolve().status().message(); }

  // Microseconds as a number, or the reason.
  std::string Read(const std::string& body) {
    const EventTime time = *Resolve();
    avro::Columns columns(*avro::ToArrowSchema(schema_));
    const auto decoder = *avro::Decoder::Compile(schema_, schema_);
    EXPECT_EQ(
        avro::DecodeResult::kRow,
        decoder.Decode({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, &columns));
    kafka::RecordView record;
    record.timestamp_ms = sent_;
    const auto read = ReadEventTime(time, columns, 0, record);
    if (const auto* why = std::get_if<std::string>(&read)) return *why;
    return std::to_string(std::get<int64_t>(read));
  }
  std::string ReadLong(int64_t value) {
    std::string body;
    AppendLong(value, &body);
    return Read(body);
  }
  std::string ReadText(const std::string& text) {
    std::string body;
    AppendLong(static_cast<int64_t>(text.size()), &body);
    return Read(body + text);
  }

  avro::Schema schema_;
  LayoutOptions options_{.event_time_field = "at"};
  int64_t sent_ = kOct24 + kDay / 2;
};

TEST_F(EventTimeTest, ATimestampOfAnyUnitAndALocalOneWhichCountsAsUtc) {
  const std::string micros = std::to_string(kOct24 * 1000);
  for (const std::string prefix : {"", "local-"}) {
    const auto type = [&](const char* unit) {
      return R"({"type": "long", "logicalType": ")" + prefix + "timestamp-" + unit + "\"}";
    };
    At(type("millis"));
    EXPECT_EQ(micros, ReadLong(kOct24));
    At(type("micros"));
    EXPECT_EQ(micros, ReadLong(kOct24 * 1000));
    At(type("nanos"));
    EXPECT_EQ(micros, ReadLong(kOct24 * 1'000'000 + 999));
    options_.event_time_unit = "ms";
    EXPECT_THAT(Error(), HasSubstr("needs no unit"));
    options_.event_time_unit = "";
  }
}

TEST_F(EventTimeTest, ADateIsItsMidnight) {
  At(R"({"type": "int", "logicalType": "date"})");
  EXPECT_EQ(std::to_string(kOct24 * 1000), ReadLong(kOct24 / kDay));
}

TEST_F(EventTimeTest, APlainNumberHasTheUnitOfTheSetting) {
  for (const char* type : {"\"int\"", "\"long\""}) {
    At(type);
    options_.event_time_unit = "";
    EXPECT_THAT(Error(), HasSubstr("ingest.event_time_unit must be d, s, ms, us or ns"));
    options_.event_time_unit = "d";
    EXPECT_EQ(std::to_string(kOct24 * 1000), ReadLong(kOct24 / kDay));
  }
  options_.event_time_earliest = -719'162;
  const struct {
    const char* unit;
    int64_t per_day, times;
  } units[] = {{"d", 1, 1}, {"s", 86'400, 1}, {"ms", kDay, 1}, {"us", kDay * 1000, 1}};
  for (const auto& one : units) {
    options_.event_time_unit = one.unit;
    EXPECT_EQ("-62135596800000000", ReadLong(-719'162 * one.per_day)) << one.unit;
    sent_ = kNoTimestamp;
    const int64_t last = (2'932'896 + 1) * one.per_day - 1;
    EXPECT_THAT(ReadLong(last), Not(HasSubstr("outside"))) << one.unit;
    for (const int64_t value :
         {last + 1, -719'162 * one.per_day - 1, std::numeric_limits<int64_t>::max(),
          std::numeric_limits<int64_t>::min()}) {
      EXPECT_EQ(
          "at = " + std::to_string(value) + " " + one.unit + " is outside the years 0001 to 9999",
          ReadLong(value));
    }
  }
  options_.event_time_unit = "ns";  // An int64 of nanoseconds has no year outside the calendar.
  EXPECT_EQ("9223372036854775", ReadLong(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ("-9223372036854776", ReadLong(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ("-1", ReadLong(-1));
}

TEST_F(EventTimeTest, ATextIsIso8601AndUtcWithoutAnOffset) {
  At("\"string\"");
  const std::string micros = std::to_string(kOct24 * 1000);
  EXPECT_EQ(micros, ReadText("2025-10-24"));
  EXPECT_EQ(micros, ReadText("2025-10-24T00:00:00"));
  EXPECT_EQ(micros, ReadText("2025-10-24T02:00:00+02:00"));
  EXPECT_THAT(ReadText("24.10.\n2025"), HasSubstr("at: '24.10.\\n2025' is not a time"));
  EXPECT_THAT(ReadText("0000-01-01"), HasSubstr("0001 to 9999"));
  At(R"({"type": "enum", "name": "Day", "symbols": ["A"]})");
  EXPECT_THAT(Error(), HasSubstr("\"at\" is an enum Day, which is not a time"));
}

TEST_F(EventTimeTest, ANestedFieldIsReadAndIsNullWhereARecordAroundItIs) {
  Fields(R"({"name": "pay", "type": ["null", {"type": "record", "name": "P", "fields": [
             {"name": "by", "type": ["string", {"type": "record", "name": "Card", "fields": [
                 {"name": "at", "type": ["null", )" +
         std::string(kMillis) + R"(]}]}]}]}]})");
  options_.event_time_field = "pay.by.Card.at";
  std::string at;
  AppendLong(kOct24, &at);
  EXPECT_EQ(std::to_string(kOct24 * 1000), Read("\x02\x02\x02" + at));
  const std::string null(1, '\0');
  EXPECT_EQ("the event time pay.by.Card.at is null", Read("\x02\x02" + null));
  EXPECT_EQ("the event time pay.by.Card.at is null", Read("\x02" + null + "\x02x"));
  EXPECT_EQ("the event time pay.by.Card.at is null", Read(null));
  options_.event_time_field = "pay";
  EXPECT_THAT(Error(),
              HasSubstr("\"pay\" is a record P, which is not a time (ingest.event_time_field)."
                        " Candidates: pay.by.Card.at (timestamp-millis)."));
}

TEST_F(EventTimeTest, KafkasTimestampCanBeTheEventTime) {
  At("\"string\"");
  options_.event_time_field = "";
  EXPECT_EQ(std::to_string(sent_ * 1000), ReadText("x"));
  sent_ = kNoTimestamp;
  EXPECT_EQ("the record has no Kafka timestamp", ReadText("x"));
  sent_ = -kDay;
  EXPECT_EQ(
      "Kafka's timestamp is 1969-12-31T00:00:00.000Z, before ingest.event_time_earliest "
      "2000-01-01",
      ReadText("x"));
}

TEST_F(EventTimeTest, TheBoundsAreSettings) {
  At(kMillis);
  EXPECT_EQ("at is 1997-01-01T00:00:00.000Z, before ingest.event_time_earliest 2000-01-01",
            ReadLong(852'076'800'000));
  EXPECT_EQ(
      "at is 2025-10-25T12:00:00.001Z, more than 24 h (ingest.event_time_ahead_hours) after "
      "Kafka's timestamp 2025-10-24T12:00:00.000Z",
      ReadLong(sent_ + kDay + 1));
  options_.event_time_earliest = 852'076'800'000 / kDay;
  options_.event_time_ahead_hours = 25;
  EXPECT_EQ("852076800000000", ReadLong(852'076'800'000));
  EXPECT_THAT(ReadLong(852'076'799'999), HasSubstr("before ingest.event_time_earliest 1997-01-01"));
  EXPECT_EQ(std::to_string((sent_ + kDay + 1) * 1000), ReadLong(sent_ + kDay + 1));
}

TEST_F(EventTimeTest, AMissingFieldNamesTheNearestAndTheCandidates) {
  Fields(R"({"name": "user_id", "type": "long"}, {"name": "name", "type": "string"},
            {"name": "times", "type": {"type": "array", "items": )" +
         std::string(kMillis) + R"(}}, {"name": "made_at", "type": "string"},
            {"name": "payload", "type": {"type": "record", "name": "P", "fields": [
                {"name": "ts_ms", "type": "long"}, {"name": "count", "type": "long"}]}},
            {"name": "timestamp", "type": )" +
         kMillis + "}");
  options_.event_time_field = "tmestamp";
  EXPECT_EQ(
      "The event schema has no field \"tmestamp\" (ingest.event_time_field). Did you mean "
      "\"timestamp\"? Candidates: timestamp (timestamp-millis); made_at (string: ISO 8601); "
      "payload.ts_ms (long: also set ingest.event_time_unit). Or leave it empty to use "
      "Kafka's timestamp.",
      Error());
  options_.event_time_field = "times.at";
  EXPECT_THAT(Error(), HasSubstr("\"times\" can have several items"));
  Fields(R"({"name": "a", "type": "int"}, {"name": "b", "type": "long"})");
  options_.event_time_field = "x";
  EXPECT_THAT(Error(), HasSubstr("Candidates: b (long: also set ingest.event_time_unit). Or"));
}

TEST_F(EventTimeTest, ALogicalTypeBesideTheTypeIsExplained) {
  Fields(R"({"name": "at", "type": "long", "logicalType": "timestamp-millis"})");
  EXPECT_EQ(
      "\"at\" is a long; its logicalType timestamp-millis is beside \"type\", where Avro "
      "ignores it: write \"type\": {\"type\": \"long\", \"logicalType\": "
      "\"timestamp-millis\"}, or set ingest.event_time_unit=ms",
      Error());
  Fields(R"({"name": "at", "type": ["null", "long"], "logicalType": "timestamp-millis"})");
  EXPECT_THAT(Error(), HasSubstr(R"(write "type": ["null", {"type": "long", "logicalType": )"
                                 R"("timestamp-millis"}], or set)"));
  Fields(R"({"name": "at", "type": "long", "logicalType": "timestamp-millis"})");
  options_.event_time_unit = "ms";
  EXPECT_EQ(std::to_string(kOct24 * 1000), ReadLong(kOct24));
  options_.event_time_field = "x";
  options_.event_time_unit = "";
  EXPECT_THAT(Error(), HasSubstr("at (long: also set ingest.event_time_unit=ms)"));
}

}  // namespace
}  // namespace shopstream::ingest
