#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Log, AWarningIsWrittenOnceForItsKind) {
  ASSERT_TRUE(StartLogging({.level = "warn"}).ok());
  CaptureStderr();
  Log::WarnOnce("log_test", Millis{0}, "the first words");
  Log::WarnOnce("log_test", Millis{0}, "other words");
  Log::WarnOnce("log_test held", Millis{60'000}, "held words");
  for (int i = 0; i < 2; ++i) Log::Warn("the server answered after {} ms", i);
  for (int i = 0; i < 2; ++i) Log::Error("the server failed after {} ms", i);
  Log::Info("no warning");
  const std::string text = GetCapturedStderr();
  EXPECT_EQ(1, Count(text, "the first words"));
  EXPECT_EQ(1, Count(text, "the server answered after 0 ms"));
  EXPECT_EQ(1, Count(text, "the server failed after 0 ms"));
  EXPECT_EQ(3, Count(text, "\n")) << text;
}

TEST(Log, WhatACommandTellsIsWrittenAtEveryLevel) {
  ASSERT_TRUE(StartLogging({.level = "off"}).ok());
  CaptureStderr();
  Log::Tell(LogLevel::kError, "no such\ntable");
  Log::Tell(LogLevel::kWarn, "odd");
  Log::Tell(LogLevel::kInfo, "id 7");
  Log::Error("not this");
  EXPECT_EQ("shopstream: no such\\ntable\nwarning: odd\nid 7\n", GetCapturedStderr());
  ASSERT_TRUE(StartLogging({.level = "off", .format = "logfmt"}).ok());
  CaptureStderr();
  Log::Tell(LogLevel::kError, "no such table");
  EXPECT_THAT(GetCapturedStderr(), HasSubstr(" level=error msg=\"no such table\"\n"));
}

TEST(Log, TheLogOfAServiceIsForPrograms) {
  CaptureStderr();
  ASSERT_TRUE(StartLogging({}, /*service=*/true).ok());
  EXPECT_FALSE(Log::IsText());
  Log::Info("serving");
  ASSERT_TRUE(StartLogging({.format = "text"}, /*service=*/true).ok());
  EXPECT_TRUE(Log::IsText());
  ASSERT_TRUE(StartLogging({}, /*service=*/false).ok());
  EXPECT_TRUE(Log::IsText());
  EXPECT_THAT(GetCapturedStderr(), StartsWith("time="));
}

TEST(Log, HiddenTextsAreInNoLine) {
  ASSERT_TRUE(StartLogging({}).ok());
  Log::Hide({"hunter2-and-more", "hunter2-", "short"});
  CaptureStderr();
  Log::Info("logged in with hunter2-and-more, hunter2-, a short one");
  Log::Tell(LogLevel::kError, "refused: hunter2-and-more");
  const std::string text = GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("with (hidden), (hidden), a short one\n"));
  EXPECT_THAT(text, HasSubstr("shopstream: refused: (hidden)\n"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace shopstream
