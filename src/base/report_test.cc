#include "base/report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/json.h"

namespace shopstream {
namespace {

using nlohmann::ordered_json;

std::string Printed(const ordered_json& report) {
  std::ostringstream out;
  PrintReport(out, report);
  return out.str();
}

TEST(Report, EachElementOfAListHasItsLine) {
  const ordered_json rows = ordered_json::array({{{"a", 1}}, {{"a", nullptr}}});
  EXPECT_EQ("{\"z\":true,\"rows\":[\n{\"a\":1},\n{\"a\":null}\n]\n,\"none\":[]\n}\n",
            Printed({{"z", true}, {"rows", rows}, {"none", ordered_json::array()}}));
  EXPECT_EQ("[\n{\"a\":1},\n{\"a\":null}\n]\n", Printed(rows));
}

TEST(Report, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ("{\"path\":\"\uFFFD\"}\n", Printed({{"path", "\xff"}}));
}

}  // namespace
}  // namespace shopstream
