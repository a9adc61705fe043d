#include "ingest/cut_writer.h"

#include <gtest/gtest.h>

#include <future>

#include "ingest/testing.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

constexpr char kTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

// A writer whose first step towards a commit waits until the test lets it continue.
class CutWriterTest : public ::testing::Test {
 protected:
  Cut MakeCut(int64_t begin, int64_t end, int64_t epoch = 0) {
    Cut cut = *builder_.Finish();
    cut.epoch = epoch;
    cut.topic = "t";
    cut.topic_id = kTopicId;
    cut.sealed_at = BootClock::now();
    cut.bytes = 1000;
    const auto fence = begin == 0 ? std::nullopt : std::optional(begin);
    cut.progress = {{.range = {0, begin, end}, .fence = fence, .quarantine_fence = std::nullopt}};
    return cut;
  }
  std::vector<CutReport> ReportsOf(CutWriter* writer, size_t count) {
    std::vector<CutReport> reports;
    while (reports.size() < count) {
      writer->WaitForReport(Millis{10'000});
      for (CutReport& report : writer->TakeReports()) reports.push_back(std::move(report));
    }
    return reports;
  }

  std::shared_ptr<const BronzeLayout> layout_ = testing::EventLayout();
  CutBuilder builder_{layout_};
  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> bronze_ = *lake::Table::OpenOrCreate(&store_, layout_->table);
  std::unique_ptr<lake::Table> quarantine_ =
      *lake::Table::OpenOrCreate(&store_, tables::QuarantineSpec(tables::kQuarantinePath));
  std::promise<void> go_;
  std::shared_future<void> gone_ = go_.get_future().share();
  CutCommitter committer_{bronze_.get(),
                          quarantine_.get(),
                          nullptr,
                          [this]() -> Result<std::string> {
                            gone_.wait();
                            return kTopicId;
                          },
                          {}};
};

TEST_F(CutWriterTest, CutsAreCommittedInTheOrderTheyCame) {
  CutWriter writer(&committer_);
  go_.set_value();
  writer.Submit(MakeCut(0, 10));
  writer.Submit(MakeCut(10, 25));
  const auto reports = ReportsOf(&writer, 2);
  EXPECT_EQ(10, reports[0].cut.progress[0].range.end);
  EXPECT_EQ(25, reports[1].cut.progress[0].range.end);
  for (const CutReport& report : reports) {
    EXPECT_EQ(CutOutcome::kCommitted, report.result->outcome);
    EXPECT_EQ(nullptr, report.cut.bronze.rows);
  }
  EXPECT_TRUE(writer.idle());
  EXPECT_EQ(25, bronze_->snapshot()->Txn(tables::ProgressAppId(kTopicId, 0)));
}

TEST_F(CutWriterTest, ItHasRoomForOneCutBesideTheOneBeingWritten) {
  CutWriter writer(&committer_);
  EXPECT_TRUE(writer.idle());
  writer.Submit(MakeCut(0, 10));
  EXPECT_TRUE(writer.has_room());
  EXPECT_FALSE(writer.idle());
  writer.Submit(MakeCut(10, 20));
  EXPECT_FALSE(writer.has_room());
  EXPECT_EQ(2000, writer.bytes_in_flight());
  go_.set_value();
  ReportsOf(&writer, 2);
  EXPECT_TRUE(writer.has_room());
  EXPECT_EQ(0, writer.bytes_in_flight());
}

TEST_F(CutWriterTest, CutsOfAnEarlierEpochAreAbandonedAndReported) {
  CutWriter writer(&committer_);
  writer.Submit(MakeCut(0, 10, /*epoch=*/1));
  writer.Submit(MakeCut(10, 20, /*epoch=*/1));
  writer.AbandonBefore(2);
  go_.set_value();
  for (const CutReport& report : ReportsOf(&writer, 2)) {
    EXPECT_EQ(CutOutcome::kAbandoned, report.result->outcome);
  }
  EXPECT_EQ(std::nullopt, bronze_->snapshot()->Txn(tables::ProgressAppId(kTopicId, 0)));
  writer.Submit(MakeCut(0, 5, /*epoch=*/2));
  EXPECT_EQ(CutOutcome::kCommitted, ReportsOf(&writer, 1)[0].result->outcome);
}

}  // namespace
}  // namespace shopstream::ingest
