#include "refine/erasure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "lake/upkeep/compaction.h"
#include "refine/gold_files.h"
#include "refine/refiner_testing.h"
#include "tables/erased_offsets.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kBronze;
using testing::kOct24;
using testing::kRejects;
using testing::kSilver;
using testing::kTopicIdA;
using ::testing::Pair;
using testing::Purchase;
using testing::RefinerTest;

constexpr char kCustomers[] = "gold/customer_daily";

class ErasureTest : public RefinerTest {
 protected:
  static RefinerOptions Where(const std::string& predicate) {
    RefinerOptions options;
    options.task = tables::RefineTask{.kind = tables::TaskKind::kErase, .predicate = predicate};
    return options;
  }
  void UseCustomers() {
    for (GoldFile& file : *LoadGoldFiles("")) {
      if (file.name == "customer_daily") gold_files_.push_back(std::move(file));
    }
  }
  // User 7 on two dates, accepted, rejected and repeated, among others; a copy of a purchase of
  // user 7 has another user.
  void Prepare() {
    StartOver();
    UseRules(testing::kRules);
    Ingest({{.id = "a", .offset = 0, .user = 7},
            {.id = "b", .offset = 1, .user = 8},
            {.id = "c", .offset = 2, .user = 7, .amount = -1},
            {.id = "d", .offset = 3, .date = kOct24 + 1, .user = 7},
            {.id = "e", .offset = 4, .date = kOct24 + 1, .user = 8},
            {.id = "f", .offset = 5, .date = kOct24 + 2, .user = 9}});
    MustRefine();
    Ingest({{.id = "a", .offset = 6, .user = 8},
            {.id = "e", .offset = 7, .date = kOct24 + 1, .user = 8}});
    MustRefine();
  }
  void CheckErased() {
    EXPECT_THAT(Bronze(), ElementsAre("1|8", "4|8", "5|9", "7|8"));
    EXPECT_THAT(Silver({"event_id", "user_id"}), ElementsAre("b|8", "e|8", "f|9"));
    EXPECT_THAT(Rejects(), ElementsAre("7|duplicate"));
    const auto erased = *tables::ReadRemoved(*Table(kBronze), tables::Removal::kErased);
    EXPECT_EQ("0:0,1+1,2", erased.at(kTopicIdA).Format());
    EXPECT_EQ(*Standing(kRejects).pass, *Standing(kSilver).pass);
    EXPECT_EQ(std::nullopt, *tables::ReadRefineTask(*Table(kRejects))) << "it is forgotten";
    if (gold_files_.empty()) return;
    EXPECT_THAT(Customers(), ElementsAre("2025-10-24|8", "2025-10-25|8", "2025-10-26|9"));
  }
  std::vector<std::string> Bronze() {
    return testing::ReadLines(store_->inner(), kBronze, {"kafka_offset", "user_id"});
  }
  std::vector<std::string> Customers() {
    return testing::ReadLines(store_->inner(), kCustomers, {"date", "user_id"});
  }
  std::shared_ptr<const lake::Snapshot> Table(const std::string& path) {
    return (*lake::Table::Open(store_->inner(), path))->snapshot();
  }
};

TEST_F(ErasureTest, EveryTableLosesTheRowsAndTheirCopies) {
  UseCustomers();
  Prepare();
  EXPECT_THAT(Customers(), ElementsAre("2025-10-24|7", "2025-10-24|8", "2025-10-25|7",
                                       "2025-10-25|8", "2025-10-26|9"));
  MustRefine(Where("user_id = 7"));
  CheckErased();
}

TEST_F(ErasureTest, ARepeatedOneChangesNothing) {
  Prepare();
  MustRefine(Where("user_id = 7"));
  const auto files = Table(kBronze)->Files();
  MustRefine(Where("user_id = 7"));
  CheckErased();
  ASSERT_EQ(files.size(), Table(kBronze)->Files().size());
  for (size_t i = 0; i < files.size(); ++i)
    EXPECT_EQ(files[i].path, Table(kBronze)->Files()[i].path);
}

TEST_F(ErasureTest, PassesGoOnAfterIt) {
  UseCustomers();
  Prepare();
  MustRefine(Where("user_id = 7"));
  Ingest({{.id = "a", .offset = 8, .user = 9}, {.id = "b", .offset = 9, .user = 8}});
  MustRefine();
  EXPECT_THAT(Silver({"event_id", "kafka_offset"}), ElementsAre("a|8", "b|1", "e|4", "f|5"))
      << "the id of an erased purchase is no longer taken";
  EXPECT_THAT(Rejects(), ElementsAre("7|duplicate", "9|duplicate"));
}

TEST_F(ErasureTest, RowsThatNoPassHasRefinedAreErased) {
  Prepare();
  Ingest({{.id = "g", .offset = 8, .user = 7}, {.id = "h", .offset = 9, .user = 9}});
  MustRefine(Where("user_id = 7"));
  EXPECT_THAT(Bronze(), ElementsAre("1|8", "4|8", "5|9", "7|8", "9|9"));
  MustRefine();
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("b", "e", "f", "h"));
}

TEST_F(ErasureTest, CompactedTablesAreErased) {
  Prepare();
  for (const char* path : {kBronze, kSilver, kRejects}) {
    const auto table = *lake::Table::Open(store_->inner(), path);
    ASSERT_TRUE(lake::Compact(table.get(), {.plan = {.growth = 1}}).ok());
  }
  MustRefine(Where("user_id = 7"));
  CheckErased();
}

TEST_F(ErasureTest, QuarantineIsAskedForCopiesAndKeys) {
  tables::QuarantineChoice asked;
  std::vector<bool> by_key, by_row;
  erase_quarantine_ =
      [&](const tables::QuarantineChoice& choice) -> Result<tables::QuarantineErased> {
    asked.task = choice.task;
    asked.gone = choice.gone;
    ARROW_ASSIGN_OR_RAISE(by_key, choice.by_key({"7", "8", "x", std::nullopt}));
    ARROW_ASSIGN_OR_RAISE(
        by_row,
        choice.by_row(kBronze, *testing::RowsOf({{.id = "x", .user = 7}, {.id = "y", .user = 8}})));
    return tables::QuarantineErased{.rows = 1, .not_examined = 2, .topic_ids = {kTopicIdA}};
  };
  Prepare();
  MustRefine(Where("user_id = 7"));
  CheckErased();
  EXPECT_EQ(3, asked.task);
  EXPECT_EQ("0:0,1+1,2", asked.gone.at(kTopicIdA).Format());
  EXPECT_THAT(by_key, ElementsAre(true, false, false, false));
  EXPECT_THAT(by_row, ElementsAre(true, false));
  EXPECT_EQ(1, Table(kBronze)->Txn(tables::ReplayAppId(kTopicIdA))) << "a replay begins anew";
  EXPECT_TRUE(tables::ReadReplayed(*Table(kBronze), kTopicIdA).ok());
}

TEST_F(ErasureTest, WithoutAnAnswerFromQuarantineNothingIsDone) {
  bool is_down = true;
  erase_quarantine_ = [&](const tables::QuarantineChoice&) -> Result<tables::QuarantineErased> {
    if (is_down) return Unavailable("the schema registry: down");
    return tables::QuarantineErased{};
  };
  Prepare();
  const auto before = Bronze();
  EXPECT_THAT(Refine(Where("user_id = 7")).message(), HasSubstr("registry"));
  EXPECT_EQ(before, Bronze());
  is_down = false;
  MustRefine();
  CheckErased();
}

TEST_F(ErasureTest, ARowThatAReplayAddsMeanwhileIsErased) {
  Prepare();
  int calls = 0;
  erase_quarantine_ = [&](const tables::QuarantineChoice&) -> Result<tables::QuarantineErased> {
    if (calls++ > 0) return tables::QuarantineErased{};
    const auto bronze = *lake::Table::Open(store_->inner(), kBronze);
    testing::Replay(bronze.get(), {{.id = "r", .offset = 3, .partition = 1, .user = 7}});
    testing::Commit(bronze.get(),
                    [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
                      lake::Changes changes;
                      changes.txns = {{tables::ReplayAppId(kTopicIdA), 1}};
                      changes.growth = lake::TableGrowth{snapshot.schema(), {}};
                      return changes;
                    });
    return tables::QuarantineErased{};
  };
  EXPECT_THAT(Refine(Where("user_id = 7")).message(), HasSubstr("a replay from quarantine"));
  MustRefine();
  EXPECT_EQ(2, calls);
  EXPECT_THAT(Bronze(), ElementsAre("1|8", "4|8", "5|9", "7|8"));
}

TEST_F(ErasureTest, StoppedAnywhereItIsFinished) {
  for (int most = 0;; ++most) {
    SCOPED_TRACE("stopped when asked for the time " + std::to_string(most));
    Prepare();
    int asked = 0;
    search_.stop = [&] { return asked++ == most; };
    const Status stopped = Refine(Where("user_id = 7"));
    search_ = {};
    if (stopped.ok()) {
      EXPECT_GT(most, 20);
      return CheckErased();
    }
    ASSERT_TRUE(stopped.IsCancelled()) << stopped;
    MustRefine();
    CheckErased();
    if (HasFailure()) return;
  }
}

TEST_F(ErasureTest, ItShowsWhatItSearches) {
  Prepare();
  std::map<std::string, int64_t> files;
  search_.progress = [&](const std::string& table, int64_t done, int64_t of) {
    EXPECT_LT(done, of);
    files[table] = std::max(files[table], of);
  };
  tables::QuarantineChoice asked;
  erase_quarantine_ = [&](const tables::QuarantineChoice& choice) {
    asked = choice;
    return Result<tables::QuarantineErased>(tables::QuarantineErased{});
  };
  MustRefine(Where("user_id = 7"));
  EXPECT_THAT(files, ElementsAre(Pair(kBronze, 4), Pair(kSilver, 2), Pair(kRejects, 3)));
  EXPECT_TRUE(asked.search.progress) << "so does the search of quarantine";
  CheckErased();
}

TEST_F(ErasureTest, KilledAnywhereItIsFinished) {
  UseCustomers();
  KillAtEvery(
      43, [this] { Prepare(); }, [this] { return Refine(Where("user_id = 7")); },
      [this] {
        const auto task = *tables::ReadRefineTask(*Table(kRejects));
        MustRefine();
        if (!task) MustRefine(Where("user_id = 7"));
        CheckErased();
      });
}

}  // namespace
}  // namespace shopstream::refine
