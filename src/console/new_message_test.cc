#include "console/new_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "base/json.h"

namespace shopstream::console {
namespace {

using testing::HasSubstr;

Result<NewMessage> Read(const std::string& body) {
  return ReadNewMessage("clicks", ParseJson(body));
}

TEST(NewMessageTest, TextsAndBytesAreTakenAsTheyAre) {
  const auto read = Read(R"({"partition": 2, "key": "42", "value_hex": "00ff", "timestamp_ms": 7,
      "headers": [{"name": "a", "value": "b"}, {"name": "c", "value_hex": "00"}, {"name": "d"}]})");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->message.topic, "clicks");
  EXPECT_EQ(read->message.partition, 2);
  EXPECT_EQ(read->message.key, "42");
  EXPECT_EQ(read->message.value, std::string("\0\xff", 2));
  EXPECT_EQ(read->message.timestamp_ms, 7);
  const kafka::Headers headers = {{"a", "b"}, {"c", std::string(1, '\0')}, {"d", std::nullopt}};
  EXPECT_EQ(read->message.headers, headers);
  EXPECT_FALSE(read->encode);
}

TEST(NewMessageTest, WithoutAValueItIsATombstone) {
  EXPECT_EQ(Read(R"({"key": "42"})")->message.value, std::nullopt);
  EXPECT_EQ(Read(R"({"key": "42", "value_text": ""})")->message.value, "");
}

TEST(NewMessageTest, AValueIsEncodedLater) {
  const auto read = Read(R"({"value": {"a": 1}, "subject": "clicks-value"})");
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->encode);
  EXPECT_EQ(read->subject, "clicks-value");
}

TEST(NewMessageTest, ARecordIsSentAgainWithItsKeyAndHeaders) {
  const auto read = Read(R"({"resend": {"partition": 1, "offset": 7}})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->resend_partition, 1);
  EXPECT_EQ(read->resend_offset, 7);
}

TEST(NewMessageTest, AnErrorNamesTheMember) {
  for (const auto& [body, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"vale": 1})", "did you mean 'value'?"},
           {R"({"value": 1, "value_hex": "00"})", "one of value"},
           {R"({"key": 42})", "'key'"},
           {R"({"key": "a", "key_hex": "61"})", "not both"},
           {R"({"value_hex": "0"})", "'value_hex'"},
           {R"({"partition": -1})", "'partition'"},
           {R"({"partition": 2147483648})", "'partition'"},
           {R"({"headers": {}})", "'headers'"},
           {R"({"headers": [{"value": "a"}]})", "'name'"},
           {R"({"resend": {"offset": 7}})", "'resend'"},
           {R"({"resend": {"partition": 0, "offset": 7}, "key": "a"})", "leave 'key' out"}}) {
    const auto read = Read(body);
    EXPECT_TRUE(read.status().IsInvalid()) << body;
    EXPECT_THAT(read.status().message(), HasSubstr(part));
  }
}

TEST(NewMessageTest, AFrameBeginsWithTheSchema) {
  EXPECT_EQ(FormatHex(Framed(258, "\x05")), "000000010205");
}

}  // namespace
}  // namespace shopstream::console
