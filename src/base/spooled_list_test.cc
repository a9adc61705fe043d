#include "base/spooled_list.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>

#include "base/json.h"
#include "base/report.h"

namespace shopstream {
namespace {

using nlohmann::ordered_json;

std::string Printed(const ordered_json& report, SpooledList* list) {
  std::ostringstream out;
  const Status status = PrintReport(out, report, "rows", list);
  EXPECT_TRUE(status.ok()) << status;
  return out.str();
}

TEST(SpooledListTest, ItIsPrintedLikeAListInMemory) {
  for (int count : {0, 1, 5'000}) {
    SpooledList list = *SpooledList::Open();
    ordered_json report = {{"before", 1}, {"rows", ordered_json::array()}, {"after", "x"}};
    for (int n = 0; n < count; ++n) {
      const ordered_json row = {{"number", n}, {"text", std::string(100, 'a') + "\n\xff"}};
      ASSERT_TRUE(list.Add(row).ok());
      report["rows"].push_back(row);
    }
    std::ostringstream in_memory;
    PrintReport(in_memory, report);
    report["rows"] = ordered_json::array();
    EXPECT_EQ(in_memory.str(), Printed(report, &list)) << count;
  }
}

TEST(SpooledListTest, NothingIsPrintedOfAListThatHasNoRoom) {
  SpooledList list = *SpooledList::Open();
  ASSERT_TRUE(list.Add({{"number", 1}}).ok());  // In memory so far.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto on_signal = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &none);
  std::ostringstream out;
  const Status status = PrintReport(out, {{"rows", ordered_json::array()}}, "rows", &list);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, on_signal);
  EXPECT_TRUE(status.IsInvalid()) << status;
  EXPECT_EQ(out.str(), "");
}

TEST(SpooledListTest, AFolderThatDoesNotExistIsAnError) {
  const char* const given = std::getenv("TMPDIR");
  const std::string old = given == nullptr ? "" : given;
  setenv("TMPDIR", "/nonexistent", 1);
  EXPECT_NE(std::string::npos, SpooledList::Open().status().message().find("set TMPDIR"));
  given == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", old.c_str(), 1);
}

}  // namespace
}  // namespace shopstream
