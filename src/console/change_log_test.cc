#include "console/change_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/read_file.h"
#include "console/temporary_folder_testing.h"

namespace shopstream::console {
namespace {

ChangeRecord Reset(const std::string& group, const std::string& error = "") {
  ChangeRecord record;
  record.at_ms = 1000;
  record.who = "ann";
  record.from = "127.0.0.1";
  record.what = "reset the offsets";
  record.subject = group;
  record.before = nlohmann::json{{"0", 5}};
  record.after = nlohmann::json{{"0", 2}};
  record.error = error;
  return record;
}

class ChangeLogTest : public testing::Test {
 protected:
  std::unique_ptr<ChangeLog> Open() { return *ChangeLog::Open(path_); }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() / "state/changes.jsonl";
};

TEST_F(ChangeLogTest, ListsTheNewestFirst) {
  const auto log = Open();
  ASSERT_TRUE(log->Append(Reset("a")).ok());
  ASSERT_TRUE(log->Append(Reset("b", "refused")).ok());
  const auto newest = log->Newest(10);
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(DumpJson(newest[0]),
            R"({"id":2,"at_ms":1000,"who":"ann","from":"127.0.0.1","what":"reset the offsets",)"
            R"("subject":"b","before":{"0":5},"after":{"0":2},"error":"refused"})");
  EXPECT_EQ(newest[1]["subject"], "a");
  EXPECT_TRUE(newest[1]["error"].is_null());
  EXPECT_EQ(log->Newest(1).size(), 1U);
}

TEST_F(ChangeLogTest, RemembersAfterARestart) {
  ASSERT_TRUE(Open()->Append(Reset("a")).ok());
  std::ofstream(path_, std::ios::app) << "torn {\n[1]\n";
  const auto log = Open();
  ASSERT_TRUE(log->Append(Reset("b")).ok());
  const auto newest = log->Newest(10);
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0]["id"], 2);
  EXPECT_EQ(newest[1]["subject"], "a");
}

TEST_F(ChangeLogTest, ReplacesAFullFile) {
  ASSERT_TRUE(Open()->Append(Reset("first")).ok());
  std::ofstream(path_, std::ios::app) << std::string(ChangeLog::kMostFileBytes, 'x') << '\n';
  ASSERT_TRUE(Open()->Append(Reset("second")).ok());
  EXPECT_LT(std::filesystem::file_size(path_), 1000U);
  const auto newest = Open()->Newest(10);
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[1]["subject"], "first");
}

TEST_F(ChangeLogTest, BoundsARecord) {
  const auto log = Open();
  ChangeRecord record = Reset("\u00e9" + std::string(4 << 20, 'x'), std::string(4 << 20, 'e'));
  record.who = "x";
  for (int i = 0; i < 1000; ++i) record.who += "\u00e9";  // A cut at 1,024 would halve one.
  record.before = nlohmann::json{{"text", std::string(1 << 20, 'b')}};
  ASSERT_TRUE(log->Append(std::move(record)).ok());
  EXPECT_LT(std::filesystem::file_size(path_), 10'000U);
  const auto newest = log->Newest(1)[0];
  EXPECT_EQ(newest["before"], "left out: it has 1048587 bytes");
  EXPECT_EQ(newest["after"], (nlohmann::ordered_json{{"0", 2}}));
  const auto who = newest["who"].get<std::string>();
  EXPECT_EQ(who.size(), 1023U + 3);
  EXPECT_TRUE(who.ends_with("\u00e9..."));
}

TEST_F(ChangeLogTest, ReportsThatItCannotBeWritten) {
  const auto log = Open();
  std::ofstream(folder_.path() / "state") << "a file where the folder should be";
  const Status refused = log->Writable();
  EXPECT_EQ(KindOf(refused), ErrorKind::kUnavailable);
  EXPECT_NE(refused.message().find("console.change_log"), std::string::npos);
  EXPECT_FALSE(log->Append(Reset("a")).ok());
}

}  // namespace
}  // namespace shopstream::console
