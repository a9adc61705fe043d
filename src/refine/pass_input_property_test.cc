#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "refine/bronze_testing.h"
#include "refine/pass_input.h"

namespace shopstream::refine {
namespace {

using testing::Bronze;
using testing::BronzeRow;

// Histories of a Bronze that ingest, replays, compaction and other programs change, while passes
// are planned, read and finished by others at any moment in between.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {}

  void Run() {
    for (int step = 0; step < 30; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      Change();
      if (Below(3) == 0) Pass();
      if (::testing::Test::HasFatalFailure()) return;
    }
    is_quiet_ = true;
    for (int pass = 0; decided_ != bronze_rows_; ++pass) {
      SCOPED_TRACE("last passes");
      ASSERT_LT(pass, 200);
      Pass();
      if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_TRUE(Plan().empty());
  }

 private:
  using Coordinates = std::set<std::string>;  // As event ids.

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  BronzeRow RowAt(const tables::ProgressKey& key, int64_t offset) {
    return {key.topic_id, key.partition, offset, "2025-10-2" + std::to_string(Below(3)),
            Below(2) == 0 ? "EU" : "US"};
  }

  void ChangeSometimes() {
    for (uint64_t changes = is_quiet_ ? 0 : Below(3); changes > 0; --changes) Change();
  }
  void Change() {
    switch (Below(9)) {
      case 0:
        return Replay();
      case 1:
      case 2:
        return Rewrite(/*data_change=*/false);
      case 3:
        return Rewrite(/*data_change=*/true);
      case 4:
        return bronze_.AppendForeign({{"", 0, static_cast<int64_t>(Below(1000))}});
      default:
        return Append();
    }
  }

  // Some offsets are left out, as if they were in quarantine.
  void Append() {
    std::vector<BronzeRow> rows;
    std::map<tables::ProgressKey, int64_t> ends;
    for (const char* topic_id : {"t", "u"}) {
      for (int32_t partition = 0; partition < 3; ++partition) {
        if (Below(3) == 0) continue;
        const tables::ProgressKey key{topic_id, partition};
        int64_t& end = ends_[key];
        for (const int64_t begin = end; end < begin + static_cast<int64_t>(Below(12)); ++end) {
          if (Below(5) == 0) {
            quarantine_.emplace_back(key, end);
          } else {
            rows.push_back(RowAt(key, end));
          }
        }
        ends[key] = end;
      }
    }
    for (const BronzeRow& row : rows) bronze_rows_.insert(row.EventId());
    bronze_.Append(rows, ends);
  }

  // Records of one topic.
  void Replay() {
    std::ranges::shuffle(quarantine_, random_);
    std::vector<BronzeRow> rows;
    while (!quarantine_.empty() && rows.size() < 5) {
      const auto& [key, offset] = quarantine_.back();
      if (!rows.empty() && rows.front().topic_id != key.topic_id) break;
      rows.push_back(RowAt(key, offset));
      bronze_rows_.insert(rows.back().EventId());
      quarantine_.pop_back();
    }
    if (!rows.empty()) bronze_.Replay(rows);
  }

  void Rewrite(bool data_change) {
    std::vector<DataFile> files = bronze_.Files();
    std::ranges::shuffle(files, random_);
    files.resize(std::min<size_t>(files.size(), 1 + Below(8)));
    if (!files.empty()) bronze_.Rewrite(files, data_change, /*vacuums=*/Below(2) == 0);
  }

  PassPlan Plan() {
    PassPlan plan =
        PlanPass(standing_, *bronze_.snapshot(), Below(2) == 0 ? 10 : 1000).ValueOrDie();
    // Sometimes the log has been cleaned up.
    if (Below(3) == 0) plan.decided_version.reset();
    return plan;
  }

  static Coordinates IdsOf(const PassRows& rows) {
    Coordinates ids;
    const auto& column =
        dynamic_cast<const arrow::StringArray&>(*rows.rows->GetColumnByName("event_id"));
    for (int64_t row = 0; row < column.length(); ++row) {
      EXPECT_TRUE(ids.insert(column.GetString(row)).second) << column.GetString(row) << " twice";
    }
    return ids;
  }

  Coordinates Read(lake::Table* reader, const PassPlan& plan) {
    InputStats stats;
    ReadLimits limits;
    if (Below(2) == 0) limits.small_file_bytes = 0;
    const auto rows = ReadPassRows(reader, plan, limits, &stats);
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return {};
    EXPECT_TRUE((*rows)->rows->ValidateFull().ok());
    EXPECT_EQ((*rows)->rows->num_rows(), std::ssize((*rows)->partition_of_row));
    return IdsOf(**rows);
  }

  void Pass() {
    const PassPlan plan = Plan();
    // A reader that may not see what changes from here on.
    const auto reader = lake::Table::Open(bronze_.store(), testing::kBronze).ValueOrDie();
    const Coordinates planned_of = bronze_rows_;
    ChangeSometimes();
    const Coordinates rows = Read(Below(2) == 0 ? reader.get() : bronze_.table(), plan);
    for (const std::string& row : rows) {
      ASSERT_TRUE(planned_of.contains(row)) << row << " came after the plan";
      ASSERT_FALSE(decided_.contains(row)) << row << " was decided before";
    }
    const auto rejects = StandingAfter(standing_, plan);
    ChangeSometimes();
    ASSERT_EQ(rows, Read(bronze_.table(), PlanToFinish(rejects, standing_)));
    if (plan.reached_version) {
      Coordinates all = decided_;
      all.insert(rows.begin(), rows.end());
      ASSERT_EQ(planned_of, all);
    }
    decided_.insert(rows.begin(), rows.end());
    standing_ = rejects;
  }

  std::mt19937_64 random_;
  bool is_quiet_ = false;
  Bronze bronze_;
  Coordinates bronze_rows_, decided_;
  std::map<tables::ProgressKey, int64_t> ends_;
  std::vector<std::pair<tables::ProgressKey, int64_t>> quarantine_;
  tables::RefineStanding standing_;
};

TEST(PassInputPropertyTest, EveryRowIsDecidedByExactlyOnePassWhoeverFinishesIt) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History(seed).Run();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace shopstream::refine
