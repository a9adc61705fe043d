#include "lake/upkeep/verify.h"

#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/table_state.h"
#include "lake/parquet/parquet_file.h"
#include "lake/testing.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::MemoryStore;
using simulate::Operation;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kPath;
using ::testing::SizeIs;

bool Never() { return false; }

class VerifyTest : public testing::LakeTest {
 protected:
  void SetUp() override { Create({{"delta.checkpointInterval", "10"}}); }

  VerifyReport Verify(bool deep = false) {
    VerifyOptions options;
    options.deep = deep;
    auto report = VerifyTable(store_.get(), kPath, options, Never);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ValueOr(VerifyReport());
  }
  // "path: reason" of each difference, paths without the table's.
  std::vector<std::string> Differences(bool deep = false) {
    std::vector<std::string> lines;
    for (const VerifyFinding& finding : Verify(deep).findings) {
      lines.push_back(finding.path.substr(std::string(kPath).size() + 1) + ": " + finding.reason);
    }
    return lines;
  }
  void Grow(int64_t last) {
    while (table_->snapshot()->version() < last) {
      Append(table_->snapshot()->version() * 10);
      if (table_->snapshot()->version() % 10 == 0) Reopen();
    }
  }
  std::shared_ptr<arrow::Buffer> Content(const DataFile& file) {
    return store_->inner()->Get(std::string(kPath) + "/" + file.path).ValueOrDie();
  }
  void Put(const DataFile& file, const arrow::Buffer& content) {
    ASSERT_TRUE(store_->inner()->Put(std::string(kPath) + "/" + file.path, content).ok());
  }
};

TEST_F(VerifyTest, ASoundTableIsCleanAndCounted) {
  Grow(25);
  Commit({WriteFile(1000, 30, "US")}, {Append(900)});
  const DataFile orphan = WriteFile(2000, 5);
  for (const bool deep : {false, true}) {
    const VerifyReport report = Verify(deep);
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(27, report.version);
    EXPECT_EQ(26, report.files);
    EXPECT_EQ(280, report.rows);
    EXPECT_EQ(1, report.orphan_files);
    EXPECT_EQ(orphan.size_bytes, report.orphan_bytes);
    EXPECT_EQ(28, report.log_entries);
    EXPECT_EQ(2, report.checkpoints);
    EXPECT_EQ(deep ? 2 : 1, report.checkpoints_compared);
  }
}

TEST(VerifyNestedTest, ColumnsBehindANestedOneAreLookedAtByTheirOwnValues) {
  MemoryStore store;
  VerifyOptions deep;
  deep.deep = true;
  const auto place =
      arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())});
  const auto file_schema =
      arrow::schema({arrow::field("place", place), arrow::field("n", arrow::int64())});
  const auto rows = arrow::RecordBatch::Make(
      file_schema, 2,
      {arrow::json::ArrayFromJSONString(place, R"([{"a": 1, "b": "x"}, null])").ValueOrDie(),
       arrow::json::ArrayFromJSONString(arrow::int64(), "[100, 200]").ValueOrDie()});
  TableSpec spec;
  spec.path = kPath;
  spec.schema = arrow::schema({file_schema->field(0), file_schema->field(1)});
  const auto table = Table::OpenOrCreate(&store, spec).ValueOrDie();
  Changes sound;
  sound.adds = {WriteDataFile(&store, kPath, {}, rows).ValueOrDie()};
  sound.written_since = BootClock::now();
  ASSERT_TRUE(table->Commit(Unconditionally(sound), BootClock::now() + Millis{20'000}).ok());
  EXPECT_TRUE(VerifyTable(&store, kPath, deep, Never).ValueOrDie().clean());

  Changes untrue;
  DataFile file = WriteDataFile(&store, kPath, {}, rows).ValueOrDie();
  const size_t at = file.statistics.find(R"("n":200)");
  ASSERT_NE(std::string::npos, at);
  file.statistics.replace(at, 7, R"("n":150)");
  untrue.adds = {file};
  untrue.written_since = BootClock::now();
  ASSERT_TRUE(table->Commit(Unconditionally(untrue), BootClock::now() + Millis{20'000}).ok());
  const auto report = VerifyTable(&store, kPath, deep, Never).ValueOrDie();
  ASSERT_THAT(report.findings, SizeIs(1));
  EXPECT_THAT(report.findings[0].reason, HasSubstr("column n: the log says maximum 150"));
}

TEST_F(VerifyTest, AMissingFileIsNamed) {
  const DataFile file = Append(0);
  Append(10);
  Delete(std::string(kPath) + "/" + file.path);
  EXPECT_THAT(Differences(), ElementsAre(AllOf(HasSubstr(file.path), HasSubstr("it is missing"),
                                               HasSubstr("10 rows"))));
}

TEST_F(VerifyTest, AFileCutShortIsNamed) {
  const DataFile file = Append(0);
  Put(file, *Content(file)->CopySlice(0, file.size_bytes / 2).ValueOrDie());
  EXPECT_THAT(Differences(),
              ElementsAre(HasSubstr("bytes, the log says"), HasSubstr("it cannot be read")));
}

TEST_F(VerifyTest, AnotherFilesContentIsNamed) {
  const DataFile file = Append(1);
  const DataFile other = WriteFile(5000, 11);
  Put(file, *Content(other));
  EXPECT_THAT(Differences(),
              ::testing::IsSupersetOf({HasSubstr("it has 11 rows, the log says 10"),
                                       HasSubstr("column n: the log says maximum 10, the file "
                                                 "has 5010")}));
}

TEST_F(VerifyTest, FalseStatisticsAreNamed) {
  DataFile file = WriteFile(0, 10);
  file.statistics =
      R"({"numRecords":10,"minValues":{"n":1,"name":"name-2"},"maxValues":{"n":9,"name":7},)"
      R"("nullCount":{"n":0,"name":3}})";
  Commit({file});
  for (const bool deep : {false, true}) {
    EXPECT_THAT(
        Differences(deep),
        ElementsAre(HasSubstr("column n: the log says minimum 1, the file has 0"),
                    HasSubstr("column name has 4 nulls, the log says 3"),
                    HasSubstr("column name: the log says minimum \"name-2\", the file has "
                              "name-1"),
                    HasSubstr("column name: the log says maximum 7, which is not of type string")));
  }
}

TEST(VerifyStatistics, BooleansInfinitiesAndNanAreChecked) {
  MemoryStore store;
  const double infinity = std::numeric_limits<double>::infinity();
  arrow::DoubleBuilder x;
  arrow::DoubleBuilder y;
  ASSERT_TRUE(x.AppendValues({-infinity, infinity}).ok());
  ASSERT_TRUE(y.AppendValues({1, std::nan("")}).ok());
  TableSpec spec;
  spec.path = kPath;
  spec.schema =
      arrow::schema({arrow::field("x", arrow::float64()), arrow::field("y", arrow::float64()),
                     arrow::field("paid", arrow::boolean())});
  const auto rows = arrow::RecordBatch::Make(
      spec.schema, 2,
      {*x.Finish(), *y.Finish(),
       arrow::json::ArrayFromJSONString(arrow::boolean(), "[true, false]").ValueOrDie()});
  const auto table = Table::OpenOrCreate(&store, spec).ValueOrDie();
  Changes changes;
  DataFile file = WriteDataFile(&store, kPath, {}, rows).ValueOrDie();
  file.statistics =
      R"({"numRecords":2,"minValues":{"x":"-Infinity","y":1.0,"paid":true},)"
      R"("maxValues":{"x":5.0,"y":1.0,"paid":true},"nullCount":{"x":0,"y":0,"paid":0}})";
  changes.adds = {file};
  changes.written_since = BootClock::now();
  ASSERT_TRUE(table->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000}).ok());
  VerifyOptions deep;
  deep.deep = true;
  std::vector<std::string> reasons;
  for (const auto& finding : VerifyTable(&store, kPath, deep, Never).ValueOrDie().findings) {
    reasons.push_back(finding.reason);
  }
  EXPECT_THAT(reasons,
              ElementsAre(HasSubstr("column x: the log says maximum 5.0, the file has inf"),
                          HasSubstr("column y has NaN"),
                          HasSubstr("column paid: the log says minimum true, the file has false")));
}

TEST_F(VerifyTest, WiderBoundsAreTrue) {
  DataFile file = WriteFile(0, 10);
  file.statistics = R"({"numRecords":10,"minValues":{"n":-5,"name":"n"},)"
                    R"("maxValues":{"n":1000.5,"name":"o"},"nullCount":{"n":0}})";
  Commit({file});
  EXPECT_THAT(Differences(), SizeIs(0));
}

TEST_F(VerifyTest, APartitionThatIsNotItsPathsIsNamed) {
  DataFile file = WriteFile(0, 10, "EU");
  file.partition_values = {{"region", "US"}};
  Commit({file});
  EXPECT_THAT(Differences(), ElementsAre(HasSubstr("the log puts it at region=US, its path at "
                                                   "region=EU")));
}

TEST_F(VerifyTest, AFolderCutShortIsItsValues) {
  const std::string value(1024, '%');
  const DataFile file = WriteFile(0, 10, value);
  ASSERT_LT(file.path.size(), 300u);
  Commit({file});
  EXPECT_THAT(Differences(), SizeIs(0));
  DataFile other = WriteFile(10, 20, value);
  other.partition_values = {{"region", value + "%"}};
  Commit({other});
  EXPECT_THAT(Differences(), ElementsAre(HasSubstr("the log puts it at region=")));
}

TEST_F(VerifyTest, DamageInsideAPageIsFoundByReadingTheValues) {
  const DataFile file = Append(0, 5000);
  auto content = Content(file)->CopySlice(0, file.size_bytes).ValueOrDie();
  std::fill_n(content->mutable_data() + 60, 400, uint8_t{0xa5});
  Put(file, *content);
  EXPECT_THAT(Differences(), SizeIs(0));
  EXPECT_THAT(Differences(/*deep=*/true), SizeIs(::testing::Ge(1U)));
}

TEST_F(VerifyTest, AGapInTheLogIsNamed) {
  Grow(25);
  Delete(LogEntryPath(kPath, 22));
  EXPECT_THAT(Differences(), ::testing::Contains(AllOf(HasSubstr("00000000000000000022.json"),
                                                       HasSubstr("this entry is missing"))));
  EXPECT_EQ(-1, Verify().version);
}

TEST_F(VerifyTest, AGapBelowTheCheckpointIsNamedThoughReadersDoNotMind) {
  Grow(25);
  Delete(LogEntryPath(kPath, 15));
  EXPECT_THAT(Differences(), ElementsAre(HasSubstr("00000000000000000015.json")));
  EXPECT_EQ(25, Verify().version);
}

TEST_F(VerifyTest, ACleanedUpLogIsWhole) {
  Grow(25);
  for (int version = 0; version < 20; ++version) Delete(LogEntryPath(kPath, version));
  Delete(LogFolder(kPath) + ZeroPadded(10, 20) + ".checkpoint.parquet");
  const VerifyReport report = Verify(/*deep=*/true);
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(0, report.checkpoints_compared);  // No entries lead to it.
}

TEST_F(VerifyTest, ACheckpointThatIsNotTheReplayIsNamed) {
  Grow(19);
  const DataFile lost = Append(190);
  Reopen();
  // The checkpoint of 20 as written by a writer that missed the last entry.
  const std::string path = LogFolder(kPath) + ZeroPadded(20, 20) + ".checkpoint.parquet";
  TableState state =
      ReadCheckpoint(store_->inner(),
                     {LogFolder(kPath) + ZeroPadded(10, 20) + ".checkpoint.parquet"}, 10)
          .ValueOrDie();
  for (int64_t version = 11; version <= 20; ++version) {
    const auto text = *store_->inner()->Get(LogEntryPath(kPath, version));
    LogEntry entry = *ParseLogEntry(std::string_view(*text), "entry");
    if (version == 20) entry.adds.clear();
    ASSERT_TRUE(state.Replay(version, entry).ok());
  }
  ASSERT_TRUE(state.Finish().ok());
  Delete(path);
  ASSERT_TRUE(WriteCheckpoint(store_->inner(), kPath, state, 0).ok());
  EXPECT_THAT(Differences(), ElementsAre(AllOf(HasSubstr("00000000000000000020.checkpoint.parquet"),
                                               HasSubstr("it lacks files that the entries add"),
                                               HasSubstr(lost.path))));
}

TEST_F(VerifyTest, ADamagedCheckpointIsNamed) {
  Grow(15);
  PutText(LogFolder(kPath) + ZeroPadded(10, 20) + ".checkpoint.parquet", "not Parquet");
  EXPECT_THAT(Differences(), ElementsAre(HasSubstr("00000000000000000010.checkpoint.parquet")));
}

TEST_F(VerifyTest, WhatAVacuumTookMeanwhileIsNoDifference) {
  const DataFile file = Append(0);
  store_->On(Operation::kListFolders).Calls([&](const std::string&) {
    const auto other = Table::Open(store_->inner(), kPath).ValueOrDie();
    Changes changes;
    changes.removes = {file};
    ASSERT_TRUE(other->Commit(Unconditionally(changes), BootClock::now() + Millis{10000}).ok());
    Delete(std::string(kPath) + "/" + file.path);
  });
  EXPECT_TRUE(Verify().clean());
}

TEST_F(VerifyTest, AStoreThatIsDownIsAnErrorAndNoDifference) {
  Append(0);
  store_->On(Operation::kList, ".parquet").FailsBefore().Always();
  store_->On(Operation::kOpenInput).FailsBefore().Always();
  EXPECT_TRUE(VerifyTable(store_.get(), kPath, {}, Never).status().IsIOError());
  EXPECT_TRUE(VerifyTable(store_.get(), "no-such-table", {}, Never).status().IsKeyError());
}

}  // namespace
}  // namespace shopstream::lake
