#include "ingest/quarantine_erase.h"

#include <arrow/array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error_kind.h"
#include "ingest/quarantine_testing.h"
#include "tables/erased_offsets.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using testing::Event;
using testing::EventWithLeft;
using ::testing::HasSubstr;
using testing::kOct24;
using testing::kTopicId;

// Rows with one of these values of "left" go.
class QuarantineEraseTest : public testing::QuarantineLakeTest {
 protected:
  Result<tables::QuarantineErased> Erase(const std::set<std::string>& left,
                                         const std::string& gone = "") {
    tables::QuarantineChoice choice;
    choice.task = 7;
    choice.by_key = [](const std::vector<std::optional<std::string>>& keys) {
      return Result<std::vector<bool>>(std::vector<bool>(keys.size()));
    };
    choice.by_row = [&](const std::string& table,
                        const arrow::RecordBatch& rows) -> Result<std::vector<bool>> {
      EXPECT_EQ(tables::kBronzePath, table);
      EXPECT_NE(nullptr, rows.GetColumnByName("region"));
      EXPECT_EQ(arrow::Type::DATE32, rows.GetColumnByName("date")->type_id());
      EXPECT_EQ(arrow::Type::STRING, rows.GetColumnByName("kafka_topic")->type_id());
      const auto& values = static_cast<const arrow::StringArray&>(*rows.GetColumnByName("left"));
      std::vector<bool> matches;
      for (int64_t i = 0; i < values.length(); ++i) {
        matches.push_back(left.contains(values.GetString(i)));
      }
      return matches;
    };
    choice.search = search_;
    if (!gone.empty()) choice.gone[kTopicId] = *tables::ReplayedOffsets::Parse(gone);
    QuarantineEraseOptions options;
    options.commit_deadline = Millis{1000};
    return EraseFromQuarantine(&store_, &registry_, testing::kTopic, {}, choice, options);
  }
  int64_t Quarantined() {
    int64_t rows = 0;
    const auto table = *lake::Table::Open(store_.inner(), tables::kQuarantinePath);
    for (const DataFile& file : table->snapshot()->Files()) rows += file.rows;
    return rows;
  }
  std::string Erased() {
    const auto table = *lake::Table::Open(store_.inner(), tables::kQuarantinePath);
    const auto erased = *tables::ReadRemoved(*table->snapshot(), tables::Removal::kErased);
    return erased.empty() ? "" : erased.at(kTopicId).Format();
  }

  lake::RemovalOptions search_;
};

TEST_F(QuarantineEraseTest, WhatCanBeDecodedNowIsExamined) {
  Ingest({EventWithLeft(1, "x"), "garbage", EventWithLeft(2, "y"), EventWithLeft(3, "x")});
  registry_.schemas = testing::SchemasById();
  const auto erased = Erase({"x"});
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(2, erased->rows);
  EXPECT_EQ(1, erased->not_examined);
  EXPECT_THAT(erased->topic_ids, ElementsAre(kTopicId));
  EXPECT_EQ(2, Quarantined());
  EXPECT_EQ("0:0,2", Erased());
  const auto again = Erase({"x"});
  EXPECT_EQ(0, again->rows);
  EXPECT_THAT(again->topic_ids, ElementsAre(kTopicId)) << "a replay may be at work still";
}

TEST_F(QuarantineEraseTest, ARowWhoseCopyGoesElsewhereGoes) {
  Ingest({"garbage", "rubbish"});
  const auto erased = Erase({}, "0:1");
  EXPECT_EQ(1, erased->rows);
  EXPECT_EQ(1, erased->not_examined);
  EXPECT_EQ("0:1", Erased());
}

TEST_F(QuarantineEraseTest, WithoutTheRegistryNothingIsDone) {
  Ingest({EventWithLeft(1, "x")});
  registry_.schemas = testing::SchemasById();
  registry_.out = true;
  const auto erased = Erase({"x"});
  EXPECT_TRUE(IsUnavailable(erased.status()));
  EXPECT_THAT(erased.status().message(), HasSubstr("the schema registry"));
  EXPECT_EQ(1, Quarantined());
  registry_.out = false;
  EXPECT_EQ(1, Erase({"x"})->rows);
}

TEST_F(QuarantineEraseTest, AStopLeavesEverything) {
  Ingest({EventWithLeft(1, "x")});
  registry_.schemas = testing::SchemasById();
  search_.stop = [] { return true; };
  EXPECT_TRUE(Erase({"x"}).status().IsCancelled());
  EXPECT_EQ(1, Quarantined());
  search_ = {};
  EXPECT_EQ(1, Erase({"x"})->rows);
}

TEST_F(QuarantineEraseTest, AFailureOfStorageLeavesEverything) {
  Ingest({EventWithLeft(1, "x"), EventWithLeft(2, "y")});
  registry_.schemas = testing::SchemasById();
  store_.On(simulate::Operation::kPutIfAbsent, "bronze-quarantine/_delta_log")
      .FailsBefore()
      .Always();
  EXPECT_FALSE(Erase({"x"}).ok());
  store_.Heal();
  EXPECT_EQ(2, Quarantined());
  EXPECT_EQ(1, Erase({"x"})->rows);
}

}  // namespace
}  // namespace shopstream::ingest
