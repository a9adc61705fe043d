#include "base/log_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace shopstream {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kTime = 1'761'293'730'123;  // 2025-10-24T08:15:30.123Z.

std::string Line(LogFormat format, std::string_view message, int suppressed = 0) {
  return LogLine(format, {kTime, LogLevel::kWarn, message, suppressed});
}

TEST(LogLine, LogfmtQuotesTheMessage) {
  EXPECT_EQ(R"(time=2025-10-24T08:15:30.123Z level=warn msg="a \"b\" c=d")",
            Line(LogFormat::kLogfmt, "a \"b\" c=d"));
  EXPECT_EQ(R"(time=2025-10-24T08:15:30.123Z level=warn msg="" suppressed=1200)",
            Line(LogFormat::kLogfmt, "", 1200));
}

TEST(LogLine, JsonIsOneObject) {
  const auto event = ParseJson(Line(LogFormat::kJson, "a \"b\"", 3));
  EXPECT_EQ("2025-10-24T08:15:30.123Z", event["time"]);
  EXPECT_EQ("warn", event["level"]);
  EXPECT_EQ("a \"b\"", event["msg"]);
  EXPECT_EQ(3, event["suppressed"]);
  EXPECT_FALSE(ParseJson(Line(LogFormat::kJson, "a")).contains("suppressed"));
}

TEST(LogLine, TextAlignsTheMessageAndCounts) {
  EXPECT_THAT(Line(LogFormat::kText, "full"), EndsWith(".123 warn    full"));
  EXPECT_THAT(Line(LogFormat::kText, "full", 1200), EndsWith("full (and 1,200 like it before)"));
  EXPECT_THAT(LogLine(LogFormat::kText, {kTime, LogLevel::kError, "full"}, /*colour=*/true),
              EndsWith("\x1b[31m\x1b[1merror  \x1b[m full"));
}

TEST(LogLine, WhateverTheMessageHasItIsOneLine) {
  std::string message;
  for (int c = 0; c < 256; ++c) message += static_cast<char>(c);
  message +=
      "\r\n2025-10-24T08:15:30.123 error   forged\xc2\x85 \xe2\x80\xa8 \xe2\x80\xa9 \xf0\x9f";
  for (const LogFormat format : {LogFormat::kText, LogFormat::kLogfmt, LogFormat::kJson}) {
    const std::string line = Line(format, message);
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
    for (const char* end : {"\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xff"}) {
      EXPECT_THAT(line, Not(HasSubstr(end)));
    }
  }
  EXPECT_THAT(ParseJson(Line(LogFormat::kJson, "a\nb\x1b[2J"))["msg"].get<std::string>(),
              "a\\nb\\x1b[2J");
}

TEST(LogLine, UnknownNamesAreRefusedWithTheNearestAndAll) {
  EXPECT_EQ(
      "unknown log level 'debgu'; did you mean 'debug'? Levels are trace, debug, info, warn, "
      "error and off",
      ParseLogLevel("debgu").status().message());
  EXPECT_EQ("unknown log format 'xml'; formats are auto, text, logfmt and json",
            ParseLogFormat("xml").status().message());
  EXPECT_EQ(LogFormat::kJson, ParseLogFormat("json").ValueOrDie());
  EXPECT_EQ(LogLevel::kOff, ParseLogLevel("off").ValueOrDie());
}

}  // namespace
}  // namespace shopstream
