#include "tables/complete_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <random>
#include <utility>

#include "base/error_kind.h"
#include "lake/delta/table_at.h"
#include "lake/testing.h"
#include "tables/refine_state.h"

namespace shopstream::tables {
namespace {

using lake::testing::SmallSpec;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr char kSilver[] = "silver", kRejects[] = "rejects";

// Tables that hold one row for each pass, which compaction moves into other files.
class CompletePassTest : public ::testing::Test {
 protected:
  CompletePassTest() {
    for (const char* path : {kRejects, kSilver}) Add(path);
  }

  void Add(const std::string& path) {
    lake::TableSpec spec = SmallSpec();
    spec.path = path;
    tables_[path] = *lake::Table::OpenOrCreate(&store_, spec);
    if (path != kSilver && path != kRejects) paths_.gold.push_back(path);
  }
  static DataFile File(const std::string& name, int64_t rows) {
    DataFile file;
    file.path = "region=EU/" + name + ".parquet";
    file.partition_values = {{"region", "EU"}};
    file.size_bytes = 100;
    file.rows = rows;
    file.statistics = R"({"numRecords":)" + std::to_string(rows) + "}";
    return file;
  }
  void Commit(const std::string& path, lake::Changes changes) {
    if (!changes.adds.empty()) changes.written_since = BootClock::now();
    const auto result = tables_.at(path)->Commit(lake::Unconditionally(std::move(changes)),
                                                 BootClock::now() + Millis{20'000});
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(lake::CommitOutcome::kCommitted, result->outcome) << result->detail;
  }
  // The table gets its next pass.
  void Pass(const std::string& path) {
    const int64_t pass = ++passes_[path];
    lake::Changes changes;
    changes.adds = {File("pass-" + std::to_string(pass), 1)};
    RefineStanding standing;
    standing.pass = pass;
    standing.complete_through_ms = pass * 1000;
    changes.txns = RefineTxns(standing);
    Commit(path, std::move(changes));
  }
  void PassAll() {
    Pass(kRejects);
    Pass(kSilver);
    for (const std::string& gold : paths_.gold) Pass(gold);
  }
  void Compact(const std::string& path) {
    lake::Changes changes;
    changes.removes = tables_.at(path)->snapshot()->Files();
    if (changes.removes.size() < 2) return;
    int64_t rows = 0;
    for (const DataFile& file : changes.removes) rows += file.rows;
    changes.adds = {File("merged-" + std::to_string(++merges_), rows)};
    changes.data_change = false;
    Commit(path, std::move(changes));
  }

  Result<std::shared_ptr<const lake::Snapshot>> Newest(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(&store_, path));
    return table->snapshot();
  }
  Result<CompletePass> Read() {
    return ReadCompletePass(&store_, paths_,
                            [this](const std::string& path) { return Newest(path); });
  }
  static int64_t Rows(const lake::Snapshot& snapshot) {
    int64_t rows = 0;
    for (const DataFile& file : snapshot.Files()) rows += file.rows;
    return rows;
  }
  static std::map<std::string, int64_t> Rows(const CompletePass& complete) {
    std::map<std::string, int64_t> rows;
    for (const auto& [path, snapshot] : complete.tables) rows[path] = Rows(*snapshot);
    return rows;
  }

  simulate::MemoryStore store_;
  std::map<std::string, std::unique_ptr<lake::Table>> tables_;
  std::map<std::string, int64_t> passes_;
  RefinedPaths paths_{.silver = kSilver, .rejects = kRejects, .gold = {}};
  int64_t merges_ = 0;
};

TEST_F(CompletePassTest, BeforeTheFirstPassEverythingIsEmpty) {
  EXPECT_EQ(0, Read()->pass);
  Pass(kRejects);
  const auto complete = Read();
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(0, complete->pass);
  EXPECT_THAT(Rows(*complete), ElementsAre(Pair(kRejects, 0), Pair(kSilver, 0)));
  EXPECT_FALSE(complete->complete_through_ms);
}

TEST_F(CompletePassTest, ATableThatIsAheadIsReadAtThePassBefore) {
  Add("gold/a");
  Add("gold/b");
  for (int i = 0; i < 3; ++i) PassAll();
  Pass(kRejects);
  Compact(kRejects);
  Pass(kSilver);
  Pass("gold/a");
  const auto complete = Read();
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(3, complete->pass);
  EXPECT_EQ(3000, complete->complete_through_ms);
  EXPECT_THAT(Rows(*complete), ElementsAre(Pair("gold/a", 3), Pair("gold/b", 3), Pair(kRejects, 3),
                                           Pair(kSilver, 3)));
  Pass("gold/b");
  EXPECT_EQ(4, Read()->pass);
}

TEST_F(CompletePassTest, AGoldTableThatIsNoLongerFilledHoldsNothingBack) {
  Add("gold/a");
  PassAll();
  Add("gold/b");
  passes_["gold/b"] = 1;
  Pass(kRejects);
  Pass(kSilver);
  Pass("gold/b");
  EXPECT_EQ(1, Read()->pass);
  Pass(kRejects);
  const auto complete = Read();
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(2, complete->pass);
  EXPECT_EQ(1, Rows(*complete->tables.at("gold/a")));
}

TEST_F(CompletePassTest, AGoldTableThatDidNotExistThenIsLeftOut) {
  Add("gold/a");
  PassAll();
  const auto complete = ReadCompletePass(
      &store_, paths_,
      [this](const std::string& path) -> Result<std::shared_ptr<const lake::Snapshot>> {
        if (path == "gold/a") return Gone("its log begins later");
        return Newest(path);
      });
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(1, complete->pass);
  EXPECT_THAT(Rows(*complete), ElementsAre(Pair(kRejects, 1), Pair(kSilver, 1)));
}

TEST_F(CompletePassTest, AnErrorIsThatOfItsTable) {
  Add("gold/a");
  PassAll();
  for (const char* broken : {kSilver, kRejects, "gold/a"}) {
    const auto complete = ReadCompletePass(
        &store_, paths_,
        [&](const std::string& path) -> Result<std::shared_ptr<const lake::Snapshot>> {
          if (path == broken) return Corrupt(path, " is damaged");
          return Newest(path);
        });
    EXPECT_EQ(std::string(broken) + " is damaged", complete.status().message());
  }
}

// Whatever refine commits while the tables are being opened, they agree.
TEST_F(CompletePassTest, TheTablesAgreeAtAnyMoment) {
  for (const char* gold : {"gold/a", "gold/b", "gold/c"}) Add(gold);
  std::mt19937 random(7);
  const auto below = [&](size_t most) { return random() % most; };
  const auto step = [&] {
    const int64_t pass = passes_[kRejects];
    std::vector<std::string> all = paths_.gold, next;
    all.insert(all.end(), {kRejects, kSilver});
    if (below(3) == 0) return Compact(all[below(all.size())]);
    for (const std::string& gold : paths_.gold) {
      if (passes_[gold] < passes_[kSilver]) next.push_back(gold);
    }
    if (passes_[kSilver] < pass) next = {kSilver};
    if (next.empty()) next = {kRejects};
    Pass(next[below(next.size())]);
  };
  int ahead = 0;
  for (int look = 0; look < 40; ++look) {
    std::mutex one_at_a_time;
    const auto complete = ReadCompletePass(&store_, paths_, [&](const std::string& path) {
      const std::lock_guard lock(one_at_a_time);
      for (size_t left = below(4); left > 0; --left) step();
      return Newest(path);
    });
    ASSERT_TRUE(complete.ok()) << complete.status();
    for (const auto& [path, rows] : Rows(*complete)) EXPECT_EQ(complete->pass, rows) << path;
    ASSERT_EQ(5U, complete->tables.size());
    if (passes_[kRejects] > complete->pass) ++ahead;
  }
  EXPECT_GT(ahead, 5);
}

}  // namespace
}  // namespace shopstream::tables
