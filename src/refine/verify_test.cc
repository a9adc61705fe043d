#include "refine/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "refine/refiner_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kOct24;
using testing::kPaths;
using testing::kRejects;
using testing::kSilver;
using testing::RefinerTest;
using ::testing::SizeIs;

constexpr char kBelow100[] = R"(rules: [{name: below_100, owner: o, description: d, action: reject,
                                         range: {column: amount, most: 100}}])";

// tests/test_refine_verify.py changes the tables as other programs do.
class VerifyTest : public RefinerTest {
 protected:
  void SetUp() override {
    RefinerTest::SetUp();
    gold_files_ = *LoadGoldFiles("");
    UseRules(testing::kRules);
  }

  VerifyReport Verify(
      const std::function<bool()>& stop = [] { return false; }, VerifyOptions options = {}) {
    options.group_rows = 3;
    auto report = VerifyRefined(store_->inner(), kPaths, book_, gold_files_, options, stop,
                                [this](const VerifyProgress& now) { progress_ = now; });
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : VerifyReport();
  }
  // "table kind offset": of Gold without an offset.
  std::vector<std::string> Found() {
    std::vector<std::string> lines;
    for (const VerifyDifference& difference : Verify().differences) {
      std::string& line = lines.emplace_back(difference.table + " " + difference.kind);
      for (const auto& [column, value] : difference.key) {
        if (column == tables::kOffset) line += " " + value.value_or("NULL");
      }
    }
    return lines;
  }

  // Deletes the files of a table.
  void Empty(const char* path) {
    const auto table = *lake::Table::Open(store_->inner(), path);
    lake::Changes changes;
    changes.removes = table->snapshot()->Files();
    testing::Commit(table.get(), lake::Unconditionally(changes));
  }

  VerifyProgress progress_;
};

TEST_F(VerifyTest, PassesDuplicatesAndReplaysAreEqual) {
  Ingest({{.id = "a", .offset = 0},
          {.id = "b", .offset = 1, .amount = -1},
          {.id = "c", .offset = 5, .date = kOct24 + 1},
          {.id = "a", .offset = 6}});
  MustRefine();
  Ingest({{.id = "a", .offset = 7, .delay_s = -100}, {.id = "b", .offset = 8}});
  testing::Replay(bronze_.get(), {{.id = "d", .offset = 3}});
  MustRefine({.pass_rows = 1});
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|8", "c|5", "d|3"));
  const VerifyReport report = Verify();
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_EQ(7, report.rows);
  EXPECT_EQ(2, report.dates);
  EXPECT_EQ(2, progress_.dates);
  EXPECT_TRUE(report.clean());
}

TEST_F(VerifyTest, WhatNoPassHasDecidedIsNotCompared) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 4}});
  MustRefine();
  testing::Replay(bronze_.get(), {{.id = "c", .offset = 2}});
  Ingest({{.id = "d", .offset = 5}});
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(2, report.rows);
}

TEST_F(VerifyTest, ARefineThatWasKilledLeavesNoDifference) {
  const auto prepare = [this] {
    StartOver();
    Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .amount = -1}});
    MustRefine();
    Ingest({{.id = "a", .offset = 2}, {.id = "c", .offset = 3}});
  };
  KillAtEvery(
      17, prepare, [this] { return Refine(); }, [this] { EXPECT_THAT(Found(), IsEmpty()); });
}

TEST_F(VerifyTest, RowsOfEarlierRulesAreListedApart) {
  Ingest({{.id = "a", .offset = 0, .amount = 1000}, {.id = "b", .offset = 1, .amount = -1}});
  MustRefine();
  UseRules(kBelow100);
  Ingest({{.id = "a", .offset = 2, .amount = 5},
          {.id = "b", .offset = 3, .date = kOct24 + 1},
          {.id = "b", .offset = 4, .amount = 5}});
  MustRefine();
  // By the rules of now, a|2 would be the first of its purchase.
  EXPECT_THAT(Silver(), ElementsAre("a|0", "b|3", "b|4"));
  const VerifyReport report = Verify();
  EXPECT_THAT(report.differences, IsEmpty());
  ASSERT_THAT(report.earlier_rules, SizeIs(1));
  EXPECT_EQ(2, report.earlier_rules[0].rows);
  EXPECT_EQ(1, report.earlier_rules[0].first_pass);
  EXPECT_EQ(kOct24, report.earlier_rules[0].first_date);
  EXPECT_EQ(kOct24, report.earlier_rules[0].last_date);

  UseRules(testing::kRules);
  EXPECT_EQ(2, Verify().earlier_rules[0].first_pass) << "the first rules are in force again";
}

TEST_F(VerifyTest, MissingRowsAreFoundInTheOrderOfTheirDates) {
  Ingest({{.id = "a", .offset = 3},
          {.id = "b", .offset = 1, .date = kOct24 + 1},
          {.id = "c", .offset = 2},
          {.id = "d", .offset = 4, .amount = -1}});
  MustRefine();
  Empty(kSilver);
  Empty("gold/customer_daily");
  std::vector<std::string> rows;
  for (const std::string& line : Found()) {
    if (line.starts_with("silver")) rows.push_back(line);
  }
  EXPECT_THAT(rows, ElementsAre("silver-events missing 2", "silver-events missing 3",
                                "silver-events missing 1"));
  Empty(kRejects);
  EXPECT_EQ("silver-rejects missing 4", Found()[2]);
}

TEST_F(VerifyTest, EveryDifferenceIsHandedOverAndTheFirstAreListed) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1}, {.id = "c", .offset = 2}});
  MustRefine();
  Empty(kSilver);
  std::vector<VerifyDifference> all;
  VerifyOptions options;
  options.most_differences = 1;
  options.on_difference = [&](const VerifyDifference& difference) {
    all.push_back(difference);
    return Status::OK();
  };
  const VerifyReport report = Verify([] { return false; }, options);
  EXPECT_THAT(all, SizeIs(report.difference_count));
  EXPECT_GE(all.size(), 3U);
  ASSERT_THAT(report.differences, SizeIs(1));
  EXPECT_EQ(all[0].key, report.differences[0].key);

  options.on_difference = [](const VerifyDifference&) { return Status::Invalid("no room"); };
  EXPECT_EQ("no room", VerifyRefined(
                           store_->inner(), kPaths, book_, gold_files_, options,
                           [] { return false; }, [](const VerifyProgress&) {})
                           .status()
                           .message());
}

TEST_F(VerifyTest, ItStopsWhenAsked) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .date = kOct24 + 1}});
  MustRefine();
  const VerifyReport report = Verify([] { return true; });
  EXPECT_FALSE(report.finished);
  EXPECT_EQ(0, report.rows);
}

TEST_F(VerifyTest, AReportIsOneJsonObject) {
  VerifyReport report;
  report.pass = 7;
  report.difference_count = 1;
  report.differences = {{.table = "silver-events",
                         .kind = "other_value",
                         .key = {{"event_id", "a"}, {"date", std::nullopt}},
                         .columns = {"amount"},
                         .expected = "amount: 1",
                         .found = "amount: 2"}};
  report.earlier_rules = {{.fingerprint = "abc", .first_pass = 1, .rows = 5, .first_date = kOct24}};
  const auto json = ToJson(report);
  EXPECT_EQ(R"({"event_id":"a","date":null})", DumpJson(json["differences"][0]["key"]));
  EXPECT_EQ("2025-10-24", json["earlier_rules"][0]["first_date"]);
  EXPECT_TRUE(json["earlier_rules"][0]["last_date"].is_null());
}

}  // namespace
}  // namespace shopstream::refine
