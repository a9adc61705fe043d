#include "base/log.h"

#include <gtest/gtest.h>

#include <string>

namespace shopstream {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Log, AWarningIsWrittenOnceForItsKind) {
  ASSERT_TRUE(StartLogging("warn").ok());
  CaptureStderr();
  Log::WarnOnce("log_test", Millis{0}, "the first words");
  Log::WarnOnce("log_test", Millis{0}, "other words");
  Log::WarnOnce("log_test held", Millis{60'000}, "held words");
  for (int i = 0; i < 2; ++i) Log::Warn("the server answered after {} ms", i);
  Log::Info("no warning");
  const std::string text = GetCapturedStderr();
  EXPECT_EQ(1, Count(text, "the first words"));
  EXPECT_EQ(1, Count(text, "the server answered after 0 ms"));
  EXPECT_EQ(2, Count(text, "\n")) << text;
}

TEST(Log, AnUnknownLevelNamesTheNearestAndAll) {
  EXPECT_EQ(
      "unknown log level 'debgu'; did you mean 'debug'? Levels are trace, debug, info, warn, "
      "error and off",
      StartLogging("debgu").message());
  EXPECT_EQ("unknown log level 'zzz'; levels are trace, debug, info, warn, error and off",
            StartLogging("zzz").message());
}

}  // namespace
}  // namespace shopstream
