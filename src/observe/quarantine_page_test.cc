#include "observe/quarantine_page.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::observe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000;

struct Row {
  int64_t at_s = 0;  // When it was quarantined.
  int64_t offset = 0;
  std::string cause = "corrupt";
};

// Each commit of ingest brings a file with one time.
class QuarantinePageTest : public ::testing::Test {
 protected:
  QuarantinePageTest() {
    table_ = *lake::Table::OpenOrCreate(&store_, tables::QuarantineSpec(tables::kQuarantinePath));
  }

  void Add(const std::vector<Row>& rows) {
    lake::Changes changes;
    changes.written_since = BootClock::now();
    changes.adds = {*lake::WriteDataFile(&store_, tables::kQuarantinePath,
                                         {{tables::kDate, "2026-11-30"}}, BatchOf(rows))};
    const auto result = table_->Commit(lake::Unconditionally(std::move(changes)),
                                       BootClock::now() + Millis{20'000});
    ASSERT_TRUE(result.ok()) << result.status();
  }

  static std::shared_ptr<arrow::RecordBatch> BatchOf(const std::vector<Row>& rows) {
    const auto schema = arrow::schema(tables::QuarantineFields());
    auto builder = *arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool());
    for (const Row& row : rows) {
      for (int i = 0; i < schema->num_fields(); ++i) {
        const std::string& name = schema->field(i)->name();
        arrow::ArrayBuilder* column = builder->GetField(i);
        if (name == tables::kPartition) {
          EXPECT_TRUE(static_cast<arrow::Int32Builder*>(column)->Append(0).ok());
        } else if (name == tables::kOffset) {
          EXPECT_TRUE(static_cast<arrow::Int64Builder*>(column)->Append(row.offset).ok());
        } else if (name == tables::kQuarantinedAt) {
          EXPECT_TRUE(
              static_cast<arrow::TimestampBuilder*>(column)->Append(row.at_s * kSecond).ok());
        } else if (name == tables::kCause) {
          EXPECT_TRUE(static_cast<arrow::StringBuilder*>(column)->Append(row.cause).ok());
        } else if (name == tables::kTopicId) {
          EXPECT_TRUE(static_cast<arrow::StringBuilder*>(column)->Append("id").ok());
        } else {
          EXPECT_TRUE(column->AppendNull().ok());
        }
      }
    }
    return *builder->Flush();
  }

  QuarantinePage Read(const QuarantinePageRequest& request) {
    const auto page =
        ReadQuarantinePage(&store_, tables::kQuarantinePath, *table_->snapshot(), request);
    EXPECT_TRUE(page.ok()) << page.status();
    return *page;
  }
  static std::vector<int64_t> Offsets(const QuarantinePage& page) {
    std::vector<int64_t> offsets;
    for (const auto& row : page.rows) offsets.push_back(row.offset);
    return offsets;
  }
  // All pages, and that each made progress.
  std::vector<int64_t> ReadAll(QuarantinePageRequest request) {
    std::vector<int64_t> offsets;
    for (int pages = 0; pages < 100; ++pages) {
      const QuarantinePage page = Read(request);
      for (const int64_t offset : Offsets(page)) offsets.push_back(offset);
      if (!page.next) return offsets;
      EXPECT_NE(page.next, request.before);
      request.before = *ParseQuarantinePlace(Format(*page.next));
    }
    ADD_FAILURE() << "it never ends";
    return offsets;
  }

  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> table_;
};

TEST_F(QuarantinePageTest, TheNewestComeFirstAndOnlyTheirFilesAreRead) {
  Add({{.at_s = 10, .offset = 0}, {.at_s = 10, .offset = 1}});
  Add({{.at_s = 20, .offset = 2}});
  Add({{.at_s = 30, .offset = 3}, {.at_s = 30, .offset = 4}});
  const QuarantinePage page = Read({.limit = 2});
  EXPECT_THAT(Offsets(page), ElementsAre(4, 3));
  EXPECT_LT(page.files_read, 3);
  ASSERT_TRUE(page.next);
  EXPECT_THAT(Offsets(Read({.before = page.next, .limit = 2})), ElementsAre(2, 1));
  EXPECT_THAT(ReadAll({.limit = 1}), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_FALSE(Read({.limit = 5}).next);
}

TEST_F(QuarantinePageTest, ACauseIsFoundWhereverItIs) {
  Add({{.at_s = 10, .offset = 0, .cause = "bad_frame"}});
  Add({{.at_s = 20, .offset = 1}, {.at_s = 20, .offset = 2, .cause = "bad_frame"}});
  Add({{.at_s = 30, .offset = 3}});
  EXPECT_THAT(ReadAll({.cause = "bad_frame", .limit = 1}), ElementsAre(2, 0));
  EXPECT_THAT(ReadAll({.cause = "empty", .limit = 1}), IsEmpty());
}

TEST_F(QuarantinePageTest, ADeadlineCutsPagesAndLosesNothing) {
  for (int64_t at = 0; at < 6; ++at) Add({{.at_s = 10 + at, .offset = at}});
  QuarantinePageRequest request{.limit = 50, .deadline = BootClock::now()};
  const QuarantinePage first = Read(request);
  EXPECT_TRUE(first.out_of_time);
  EXPECT_EQ(1, first.files_read);
  EXPECT_THAT(ReadAll(request), ElementsAre(5, 4, 3, 2, 1, 0));
  // Compacted files have rows of many times; none is certain before all are read.
  Add({{.at_s = 1, .offset = 6}, {.at_s = 30, .offset = 7}});
  Add({{.at_s = 2, .offset = 8}, {.at_s = 30, .offset = 9}});
  EXPECT_THAT(ReadAll(request), ElementsAre(9, 7, 5, 4, 3, 2, 1, 0, 8, 6));
}

TEST_F(QuarantinePageTest, APlaceIsReadAsItIsWritten) {
  const QuarantinePlace place{1'764'495'600'000'000, "2vEXY_6eQ4-J.x", 3, 41};
  EXPECT_EQ(place, *ParseQuarantinePlace(Format(place)));
  for (const char* text : {"", "1", "1.2.3", "a.1.2.id", "1.99999999999.2.id", "1..2.id"}) {
    EXPECT_FALSE(ParseQuarantinePlace(text).ok()) << text;
  }
}

TEST_F(QuarantinePageTest, WhatAReplayAddedIsKnown) {
  lake::TableSpec spec;
  spec.path = tables::kBronzePath;
  spec.schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("d", arrow::utf8())});
  spec.partition_columns = {"d"};
  const auto bronze = *lake::Table::OpenOrCreate(&store_, spec);
  tables::ReplayedOffsets offsets;
  offsets.Insert(0, 7);
  lake::Changes changes;
  changes.txns = {{tables::ProgressAppId("id", 0), 9}, {tables::ReplayAppId("id"), 1}};
  changes.growth = {.columns = spec.schema,
                    .properties = {{tables::ReplayedProperty("id"), offsets.Format()}}};
  ASSERT_TRUE(
      bronze->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{20'000}).ok());
  const auto replayed = ReadAllReplayed(&store_, *bronze->snapshot());
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_TRUE(replayed->at("id").Contains(0, 7));
  EXPECT_FALSE(replayed->at("id").Contains(0, 8));
}

}  // namespace
}  // namespace shopstream::observe
