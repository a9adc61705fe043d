#include "refine/closed_dates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "refine/gold_files.h"
#include "refine/refiner_testing.h"
#include "refine/retention.h"
#include "tables/refine_task.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using testing::kBronze;
using testing::kOct24;
using testing::kRejects;
using testing::kSilver;
using testing::Purchase;
using testing::RefinerTest;

constexpr char kQualityPath[] = "gold/quality_daily";
constexpr char kCustomersPath[] = "gold/customer_daily";
constexpr char kBelow50[] = R"(rules: [{name: below_50, owner: o, description: d, action: reject,
                                        range: {column: amount, most: 50}}])";

class ClosedDatesTest : public RefinerTest {
 protected:
  static RefinerOptions Retain(const std::string& table, int32_t horizon) {
    RefinerOptions options;
    options.task =
        tables::RefineTask{.kind = tables::TaskKind::kRetain, .table = table, .horizon = horizon};
    return options;
  }
  // With one row: a task for each date.
  static RefinerOptions RestateAll(int64_t pass_rows = 1) {
    RefinerOptions options;
    options.restate = DatesToRestate{};
    options.pass_rows = pass_rows;
    return options;
  }
  static RefinerOptions Where(const std::string& predicate) {
    RefinerOptions options;
    options.task = tables::RefineTask{.kind = tables::TaskKind::kErase, .predicate = predicate};
    return options;
  }
  void UseGold(const std::set<std::string>& names) {
    gold_files_.clear();
    for (GoldFile& file : *LoadGoldFiles("")) {
      if (names.contains(file.name)) gold_files_.push_back(std::move(file));
    }
    ++gold_stamp_;
  }
  // Three dates, each with a purchase of users 7 and 8, the first one with a rejected one.
  void Prepare() {
    StartOver();
    UseRules(testing::kRules);
    Ingest({{.id = "a", .offset = 0, .user = 7},
            {.id = "b", .offset = 1, .user = 8, .amount = 100},
            {.id = "c", .offset = 2, .amount = -1},
            {.id = "d", .offset = 3, .date = kOct24 + 1, .user = 7},
            {.id = "e", .offset = 4, .date = kOct24 + 1, .user = 8, .amount = 100},
            {.id = "f", .offset = 5, .date = kOct24 + 2, .user = 7}});
    MustRefine();
  }
  // Prepared, and the first date is closed.
  void Close() {
    Prepare();
    MustRefine(Retain(kSilver, kOct24 + 1));
  }
  std::shared_ptr<const lake::Snapshot> Table(const std::string& path) {
    return (*lake::Table::Open(store_->inner(), path))->snapshot();
  }
  std::optional<int32_t> HorizonOf(const std::string& path) {
    return *tables::ReadHorizon(*Table(path));
  }
  std::vector<std::string> Quality() {
    return testing::ReadLines(store_->inner(), kQualityPath,
                              {"date", "bronze_rows", "silver_rows", "rejected_rows"});
  }
  std::vector<std::string> Customers() {
    return testing::ReadLines(store_->inner(), kCustomersPath, {"date", "user_id", "orders"});
  }
  void CheckClosed() {
    EXPECT_THAT(Silver({"event_id"}), ElementsAre("d", "e", "f"));
    EXPECT_THAT(Rejects(), ElementsAre("2|positive_amount")) << "the rejects keep their dates";
    EXPECT_EQ(6, BronzeRows());
    EXPECT_EQ(kOct24 + 1, HorizonOf(kSilver));
    EXPECT_EQ(std::nullopt, HorizonOf(kRejects));
    EXPECT_EQ(*Standing(kRejects).pass, *Standing(kSilver).pass);
    EXPECT_EQ(std::nullopt, *tables::ReadRefineTask(*Table(kRejects))) << "it is forgotten";
    if (gold_files_.empty()) return;
    EXPECT_THAT(Quality(), ElementsAre("2025-10-24|3|2|1", "2025-10-25|2|2|0", "2025-10-26|1|1|0"));
    EXPECT_EQ(*Standing(kSilver).pass, *Standing(kQualityPath).pass);
  }
  int64_t BronzeRows() {
    return std::ssize(testing::ReadLines(store_->inner(), kBronze, {"event_id"}));
  }
  // After a pass of rows of two dates, one of them closed.
  void IngestLate() {
    Ingest({{.id = "g", .offset = 6, .user = 9},
            {.id = "a", .offset = 7, .user = 7},
            {.id = "h", .offset = 8, .amount = -1},
            {.id = "i", .offset = 9, .date = kOct24 + 1, .user = 9},
            {.id = "d", .offset = 10, .date = kOct24 + 1, .user = 7}});
  }
  void CheckLate() {
    EXPECT_THAT(Silver({"event_id"}), ElementsAre("d", "e", "f", "i"));
    EXPECT_THAT(Rejects(), ElementsAre("10|duplicate", "2|positive_amount", "6|closed_date",
                                       "7|closed_date", "8|closed_date"));
    if (gold_files_.empty()) return;
    EXPECT_THAT(Quality(), ElementsAre("2025-10-24|3|2|1", "2025-10-25|4|3|0", "2025-10-26|1|1|0"));
  }
};

TEST_F(ClosedDatesTest, SilverLosesThemAndGoldKeepsWhatItHas) {
  UseGold({"quality_daily"});
  Close();
  CheckClosed();
  MustRefine(Retain(kSilver, kOct24));
  CheckClosed();
}

TEST_F(ClosedDatesTest, ALaterRowIsRejectedAndGoldDoesNotChange) {
  UseGold({"quality_daily"});
  Close();
  IngestLate();
  MustRefine();
  CheckLate();
}

TEST_F(ClosedDatesTest, AKilledPassWithSuchARowIsFinished) {
  UseGold({"quality_daily"});
  KillAtEvery(
      37,
      [this] {
        Close();
        IngestLate();
      },
      [this] { return Refine(); },
      [this] {
        MustRefine();
        CheckLate();
      });
}

TEST_F(ClosedDatesTest, KilledAnywhereItIsFinished) {
  UseGold({"quality_daily"});
  KillAtEvery(
      29, [this] { Prepare(); }, [this] { return Refine(Retain(kSilver, kOct24 + 1)); },
      [this] {
        const auto task = *tables::ReadRefineTask(*Table(kRejects));
        MustRefine();
        if (!task) MustRefine(Retain(kSilver, kOct24 + 1));
        CheckClosed();
      });
}

TEST_F(ClosedDatesTest, ARestateLeavesThemAlone) {
  UseGold({"quality_daily"});
  Close();
  UseRules(kBelow50);
  MustRefine(RestateAll());
  EXPECT_THAT(Silver({"event_id"}), ElementsAre("d", "f"));
  EXPECT_THAT(Rejects(), ElementsAre("2|positive_amount", "4|below_50"));
  EXPECT_THAT(Quality(), ElementsAre("2025-10-24|3|2|1", "2025-10-25|2|1|1", "2025-10-26|1|1|0"));
}

// A restate has chosen its dates, and another refine removes some of them before their task.
TEST_F(ClosedDatesTest, ARestateDoesNotMeetADateThatIsClosedMeanwhile) {
  for (const char* table : {kSilver, kBronze}) {
    SCOPED_TRACE(table);
    int closed = 0;
    InterruptAtEvery(
        17,
        [this] {
          Prepare();
          UseRules(kBelow50);
        },
        [this] { return Refine(RestateAll()); },
        [&, this] {
          MustRefine();
          const auto silver = Silver({"event_id"});
          if (table == kBronze) {  // Restated or not, no row is lost.
            EXPECT_EQ(6, std::ssize(silver) + std::ssize(Rejects()));
          } else if (HorizonOf(table)) {
            EXPECT_THAT(silver, ElementsAre("f")) << "no row comes back";
          }
          closed += HorizonOf(table) ? 1 : 0;
        },
        Retain(table, kOct24 + 2));
    EXPECT_GT(closed, 0) << "the other one always stands by";
  }
}

TEST_F(ClosedDatesTest, RejectsLoseOnlyWhatSilverHasLost) {
  Prepare();
  MustRefine(Retain(kRejects, kOct24 + 2));
  EXPECT_THAT(Rejects({"event_id"}), ElementsAre("c")) << "Silver has all dates";
  EXPECT_EQ(std::nullopt, HorizonOf(kRejects));
  Ingest({{.id = "g", .offset = 6, .date = kOct24 + 1, .amount = -1}});
  MustRefine(Retain(kSilver, kOct24 + 1));
  MustRefine();
  const auto silver = Table(kSilver);
  const ExpiredDates expired = *FindExpiredRefined(*Table(kRejects), kOct24 + 2, silver.get());
  EXPECT_THAT(expired.dates, ElementsAre(kOct24));
  EXPECT_THAT(expired.in_silver, ElementsAre(kOct24 + 1));
  EXPECT_EQ(kOct24 + 1, expired.first_kept);
  MustRefine(Retain(kRejects, kOct24 + 2));
  EXPECT_THAT(Rejects({"event_id"}), ElementsAre("g"));
  EXPECT_EQ(kOct24 + 1, HorizonOf(kRejects));
}

TEST_F(ClosedDatesTest, KilledRetainOfRejectsIsFinished) {
  KillAtEvery(
      11, [this] { Close(); }, [this] { return Refine(Retain(kRejects, kOct24 + 1)); },
      [this] {
        const auto task = *tables::ReadRefineTask(*Table(kRejects));
        MustRefine();
        if (!task) MustRefine(Retain(kRejects, kOct24 + 1));
        EXPECT_THAT(Rejects({"event_id"}), ::testing::IsEmpty());
        EXPECT_THAT(Silver({"event_id"}), ElementsAre("d", "e", "f"));
        EXPECT_EQ(kOct24 + 1, HorizonOf(kRejects));
      });
}

// The rows of the key that the condition names can go, but nothing can be computed again.
TEST_F(ClosedDatesTest, AnEraseTakesTheKeysOfThePersonAndLeavesSums) {
  UseGold({"customer_daily"});
  KillAtEvery(
      139, [this] { Close(); }, [this] { return Refine(Where("user_id = 7")); },
      [this] {
        const auto task = *tables::ReadRefineTask(*Table(kRejects));
        MustRefine();
        if (!task) MustRefine(Where("user_id = 7"));
        EXPECT_THAT(Silver({"event_id"}), ElementsAre("e"));
        EXPECT_THAT(Customers(), ElementsAre("2025-10-24|8|1", "2025-10-25|8|1"));
      });
}

TEST_F(ClosedDatesTest, AConditionOnOtherColumnsLeavesGoldAsItWas) {
  UseGold({"customer_daily"});
  Close();
  MustRefine(Where("event_id = 'a' OR event_id = 'd'"));
  EXPECT_THAT(Customers(),
              ElementsAre("2025-10-24|7|1", "2025-10-24|8|1", "2025-10-25|8|1", "2025-10-26|7|1"));
}

// Whatever happens in whatever order, and whoever is killed: Silver has the open dates, and Gold of
// each closed date what it had when it was closed.
class ClosedDatesHistory : public ClosedDatesTest {
 protected:
  struct Day {
    std::set<std::string> ids;
    int64_t bronze = 0, silver = 0, rejected = 0, duplicates = 0;
  };

  void Add(const Purchase& row, int32_t horizon) {
    if (row.date < horizon) {
      ++closed_rows_;
      return;
    }
    Day& day = days_[row.date];
    ++day.bronze;
    if (row.amount <= 0) {
      ++day.rejected;
    } else {
      ++(day.ids.insert(*row.id).second ? day.silver : day.duplicates);
    }
  }
  void IngestSome() {
    std::vector<Purchase> rows;
    for (int i = 0; i < 4; ++i) {
      rows.push_back({.id = "id" + std::to_string(Below(6)),
                      .offset = next_++,
                      .date = kOct24 + Below(6),
                      .amount = Below(5) == 0 ? -1.0 : 1.0});
      waiting_.push_back(rows.back());
    }
    Ingest(rows);
  }
  int Below(int end) { return static_cast<int>(random_() % static_cast<uint32_t>(end)); }
  // Perhaps it is killed, and another one does it.
  void Run(const RefinerOptions& options) {
    if (Below(2) == 0) {
      store_->OnAny().Skipping(Below(60)).FailsBefore().Always();
      static_cast<void>(Refine(options));
      store_->Heal();
      MustRefine();
    }
    MustRefine(options);
  }
  void Step() {
    switch (Below(8)) {
      case 0:
        return Run(Retain(kBronze, kOct24 + Below(5)));
      case 1:
        return Run(Retain(kRejects, kOct24 + Below(5)));
      case 2: {
        const int32_t horizon = kOct24 + Below(4);
        Run({});
        Decide();
        Run(Retain(kSilver, horizon));
        horizon_ = std::max(horizon_, horizon);
        return;
      }
      case 3:
        return Run(RestateAll(1000));
      default:
        IngestSome();
        Run({});
        Decide();
    }
  }
  void Decide() {
    for (const Purchase& row : std::exchange(waiting_, {})) Add(row, horizon_);
  }
  void Check() {
    std::vector<std::string> silver, gold;
    for (const auto& [date, day] : days_) {
      const std::string name = FormatDate(date);
      gold.push_back(name + "|" + std::to_string(day.bronze) + "|" + std::to_string(day.silver) +
                     "|" + std::to_string(day.rejected));
      if (date < horizon_) continue;
      for (const std::string& id : day.ids) silver.push_back(name + "|" + id);
    }
    EXPECT_EQ(silver, Silver({"date", "event_id"}));
    EXPECT_EQ(gold, Quality());
  }

  std::mt19937 random_;
  int64_t next_ = 0;
  int32_t horizon_ = 0;
  std::map<int32_t, Day> days_;
  std::vector<Purchase> waiting_;
  int64_t closed_rows_ = 0;
};

TEST_F(ClosedDatesHistory, OfAnyOrder) {
  UseGold({"quality_daily"});
  int64_t closed_rows = 0;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    StartOver();
    UseRules(testing::kRules);
    random_.seed(seed);
    next_ = horizon_ = 0;
    days_.clear();
    waiting_.clear();
    IngestSome();
    Run({});
    Decide();
    for (int step = 0; step < 12; ++step) {
      Step();
      Check();
      if (HasFailure()) return;
    }
    closed_rows += std::exchange(closed_rows_, 0);
  }
  EXPECT_GT(closed_rows, 3) << "the histories have late rows";
}

}  // namespace
}  // namespace shopstream::refine
