#include "refine/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "refine/refiner_testing.h"
#include "tables/archive.h"
#include "tables/refine_task.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kBronze;
using testing::kOct24;
using testing::kRejects;
using testing::kSilver;
using testing::kTopicIdA;
using testing::RefinerTest;

class RetentionTest : public RefinerTest {
 protected:
  static RefinerOptions From(int32_t horizon) {
    RefinerOptions options;
    options.task =
        tables::RefineTask{.kind = tables::TaskKind::kRetain, .table = kBronze, .horizon = horizon};
    return options;
  }
  // One row on each of three dates, and a rejected one.
  void Prepare() {
    StartOver();
    UseRules(testing::kRules);
    Ingest({{.id = "a", .offset = 0},
            {.id = "b", .offset = 1, .amount = -1},
            {.id = "c", .offset = 2, .date = kOct24 + 1},
            {.id = "d", .offset = 3, .date = kOct24 + 2}});
    MustRefine();
  }
  std::vector<std::string> Bronze() {
    return testing::ReadLines(store_->inner(), kBronze, {"event_id"});
  }
  std::shared_ptr<const lake::Snapshot> Table(const std::string& path) {
    return (*lake::Table::Open(store_->inner(), path))->snapshot();
  }
  RefinerOptions Archived(int32_t horizon, const std::vector<DataFile>& files);
  void Reserve(int64_t run);
  int64_t Released();
  std::vector<DataFile> OldFiles(int32_t horizon);
  void CheckRetained() {
    EXPECT_THAT(Bronze(), ElementsAre("c", "d"));
    EXPECT_THAT(Silver({"event_id"}), ElementsAre("a", "c", "d")) << "Silver keeps its dates";
    EXPECT_THAT(Rejects(), ElementsAre("1|positive_amount"));
    EXPECT_EQ(kOct24 + 1, *tables::ReadHorizon(*Table(kBronze)));
    const auto expired = *tables::ReadRemoved(*Table(kBronze), tables::Removal::kExpired);
    EXPECT_EQ("0:0+1", expired.at(kTopicIdA).Format());
    EXPECT_EQ(*Standing(kRejects).pass, *Standing(kSilver).pass);
    EXPECT_EQ(std::nullopt, *tables::ReadRefineTask(*Table(kRejects))) << "it is forgotten";
  }
};

TEST_F(RetentionTest, BronzeLosesWholeDatesAndNothingElseDoes) {
  Prepare();
  MustRefine(From(kOct24 + 1));
  CheckRetained();
  MustRefine(From(kOct24 + 1));
  CheckRetained();
}

TEST_F(RetentionTest, ADateThatIsNotRefinedStaysAndSoDoLaterOnes) {
  Prepare();
  Ingest({{.id = "e", .offset = 4, .date = kOct24 + 1}});
  const auto bronze = *lake::Table::Open(store_->inner(), kBronze);
  const auto refined = Standing(kSilver);
  const ExpiredDates expired = *FindExpired(*bronze, kOct24 + 3, &refined);
  EXPECT_THAT(expired.dates, ElementsAre(kOct24));
  EXPECT_THAT(expired.not_refined, ElementsAre(kOct24 + 1, kOct24 + 2));
  EXPECT_EQ(kOct24 + 1, expired.first_kept);
  EXPECT_EQ(2, expired.rows);
  MustRefine(From(kOct24 + 3));
  EXPECT_THAT(Bronze(), ElementsAre("c", "d", "e"));
  MustRefine();
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("a", "c", "d", "e"));
}

TEST_F(RetentionTest, AReplayedRecordThatIsNotRefinedKeepsItsDate) {
  Prepare();
  Ingest({{.id = "e", .offset = 9, .date = kOct24 + 2}});
  MustRefine();
  testing::Replay(bronze_.get(), {{.id = "r", .offset = 7}});
  const auto bronze = *lake::Table::Open(store_->inner(), kBronze);
  const auto refined = Standing(kSilver);
  EXPECT_THAT(FindExpired(*bronze, kOct24 + 1, &refined)->dates, IsEmpty());
  MustRefine();
  const auto after = Standing(kSilver);
  EXPECT_THAT(FindExpired(*bronze, kOct24 + 1, &after)->dates, ElementsAre(kOct24));
}

TEST_F(RetentionTest, AnEraseDoesNotTakeWhatOnlyBronzeHasLost) {
  Prepare();
  MustRefine(From(kOct24 + 1));
  RefinerOptions erase;
  erase.task = tables::RefineTask{.kind = tables::TaskKind::kErase, .predicate = "event_id = 'd'"};
  MustRefine(erase);
  EXPECT_THAT(Bronze(), ElementsAre("c"));
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("a", "c"));
  EXPECT_THAT(Rejects(), ElementsAre("1|positive_amount"));
}

// Run 1 of an archive has copied these files of Bronze.
RefinerOptions RetentionTest::Archived(int32_t horizon, const std::vector<DataFile>& files) {
  RefinerOptions options;
  options.task = tables::RefineTask{.kind = tables::TaskKind::kArchive,
                                    .table = kBronze,
                                    .horizon = horizon,
                                    .archive_run = 1,
                                    .files_digest = tables::DigestOf(files)};
  return options;
}

void RetentionTest::Reserve(int64_t run) {
  lake::Changes changes;
  changes.txns = tables::ReservedTxn(run);
  changes.growth =
      lake::TableGrowth{.columns = bronze_->snapshot()->schema(),
                        .properties = tables::ArchiveProperty({.place = "/cold", .id = "an id"})};
  ASSERT_EQ(lake::CommitOutcome::kCommitted,
            bronze_->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{200})
                .ValueOrDie()
                .outcome);
}

int64_t RetentionTest::Released() { return (*tables::ReadArchiveLink(*Table(kBronze)))->released; }

std::vector<DataFile> RetentionTest::OldFiles(int32_t horizon) {
  const auto refined = Standing(kSilver);
  return FindExpired(**lake::Table::Open(store_->inner(), kBronze), horizon, &refined)->files;
}

TEST_F(RetentionTest, AnArchiveReleasesWhatItHasCopied) {
  Prepare();
  Reserve(1);
  MustRefine(Archived(kOct24 + 1, OldFiles(kOct24 + 1)));
  CheckRetained();
  EXPECT_EQ(1, Released());
}

TEST_F(RetentionTest, AnArchiveReleasesNothingThatHasChangedSinceTheCopy) {
  Prepare();
  Reserve(1);
  const auto copied = OldFiles(kOct24 + 1);
  Ingest({{.id = "e", .offset = 4}});
  MustRefine(Archived(kOct24 + 1, copied));
  EXPECT_THAT(Bronze(), ElementsAre("a", "b", "c", "d", "e")) << "not refined";
  MustRefine();
  MustRefine(Archived(kOct24 + 1, copied));
  EXPECT_THAT(Bronze(), ElementsAre("a", "b", "c", "d", "e")) << "a row more than was copied";
  EXPECT_EQ(0, Released());
  EXPECT_EQ(std::nullopt, *tables::ReadHorizon(*Table(kBronze)));
  MustRefine(Archived(kOct24 + 1, OldFiles(kOct24 + 1)));
  EXPECT_THAT(Bronze(), ElementsAre("c", "d"));
  EXPECT_EQ(1, Released());
}

TEST_F(RetentionTest, AnArchiveReleasesNothingOnceALaterRunHasBegun) {
  Prepare();
  Reserve(2);
  MustRefine(Archived(kOct24 + 1, OldFiles(kOct24 + 1)));
  EXPECT_THAT(Bronze(), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(0, Released());
}

TEST_F(RetentionTest, AReleaseThatIsKilledIsFinishedByAnyRefine) {
  RefinerOptions options;
  KillAtEvery(
      7,
      [&] {
        Prepare();
        Reserve(1);
        options = Archived(kOct24 + 1, OldFiles(kOct24 + 1));
      },
      [&] { return Refine(options); },
      [&] {
        const auto task = *tables::ReadRefineTask(*Table(kRejects));
        MustRefine();
        if (!task && Released() == 0) MustRefine(options);
        CheckRetained();
        EXPECT_EQ(1, Released());
      });
}

TEST_F(RetentionTest, KilledAnywhereItIsFinished) {
  KillAtEvery(
      7, [this] { Prepare(); }, [this] { return Refine(From(kOct24 + 1)); },
      [this] {
        const auto task = *tables::ReadRefineTask(*Table(kRejects));
        MustRefine();
        if (!task) MustRefine(From(kOct24 + 1));
        CheckRetained();
      });
}

}  // namespace
}  // namespace shopstream::refine
