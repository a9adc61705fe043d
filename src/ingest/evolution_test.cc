// Growing tables and replayed quarantine: several consumers and replays share one store.

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/cut_committer.h"
#include "ingest/quarantine_replay.h"
#include "ingest/table_growth.h"
#include "ingest/testing.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/log_entry.h"
#include "lake/parquet/parquet_file.h"
#include "model/calendar.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

namespace shopstream::ingest {
namespace {

using simulate::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kOct24;

constexpr char kTopic[] = "t";
constexpr char kTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

// A consumer with its own tables, schemas and rows; it reads one Kafka partition.
struct Consumer {
  Consumer(lake::ObjectStore* store, int32_t partition_read, const LayoutOptions& options)
      : partition(partition_read),
        schemas(testing::EventSchemas(options)),
        builder(schemas.layout()) {
    bronze = *lake::Table::OpenOrCreate(store, schemas.layout()->table);
    quarantine = *lake::Table::OpenOrCreate(store, tables::QuarantineSpec(tables::kQuarantinePath));
  }

  // The next values of its partition, as one cut.
  Cut Read(const std::vector<std::string>& values) {
    const int64_t begin = next;
    for (const std::string& value : values) {
      kafka::RecordView record = records.Make(partition, next++, value);
      record.timestamp_ms = sent;
      std::optional<int32_t> id = testing::Add(record, schemas, &builder);
      if (!id) continue;
      const BootClock::time_point later{SchemaCache::kConfirmUnknownAfter};
      if (!schemas.Resolve({*id}, {}).resolved) schemas.Resolve({*id}, later);
      EXPECT_EQ(testing::Add(record, schemas, &builder), std::nullopt);
    }
    Cut cut = *builder.Finish();
    cut.sealed_at = BootClock::now();
    cut.topic = kTopic;
    cut.topic_id = kTopicId;
    const std::optional<int64_t> fence = begin == 0 ? std::nullopt : std::optional(begin);
    cut.progress = {{.range = {partition, begin, next},
                     .fence = fence,
                     .quarantine_fence =
                         quarantine->snapshot()->Txn(tables::ProgressAppId(kTopicId, partition))}};
    return cut;
  }

  Result<CommittedCut> Commit(const Cut& cut) {
    CutCommitter committer(
        bronze.get(), quarantine.get(), nullptr, []() -> Result<std::string> { return kTopicId; },
        {.patience = {.first = Millis{1}, .longest = Millis{5}, .give_up_after = Millis{2000}},
         .commit_deadline = Millis{500}});
    return committer.Commit(cut, [] { return false; });
  }
  CutOutcome Publish(const std::vector<std::string>& values) {
    const auto committed = Commit(Read(values));
    EXPECT_TRUE(committed.ok()) << committed.status();
    return committed.ok() ? committed->outcome : CutOutcome::kAbandoned;
  }

  const int32_t partition;
  int64_t next = 0;
  int64_t sent = kOct24 + testing::kDay / 2;  // Kafka's timestamp of its records.
  SchemaCache schemas;
  CutBuilder builder;
  testing::Records records;
  std::unique_ptr<lake::Table> bronze, quarantine;
};

class EvolutionTest : public ::testing::Test {
 protected:
  Consumer NewConsumer(int32_t partition) { return Consumer(&store_, partition, options_); }

  // One column of all Bronze rows as a reader sees it, keyed by "partition/offset".
  std::map<std::string, std::string> Column(const std::string& name) {
    std::map<std::string, std::string> values;
    auto table = *lake::Table::Open(&store_, tables::kBronzePath);
    for (const DataFile& file : table->snapshot()->Files()) {
      auto read =
          lake::ReadDataFile(&store_, tables::kBronzePath, file, table->snapshot()->schema(),
                             {"kafka_partition", "kafka_offset", name});
      EXPECT_TRUE(read.ok()) << read.status();
      const auto rows = *(*read)->CombineChunksToBatch();
      for (int64_t row = 0; row < rows->num_rows(); ++row) {
        const std::string key = (*rows->column(0)->GetScalar(row))->ToString() + "/" +
                                (*rows->column(1)->GetScalar(row))->ToString();
        const auto value = *rows->column(2)->GetScalar(row);
        EXPECT_TRUE(values.emplace(key, value->ToString()).second) << key << " stands twice";
      }
    }
    return values;
  }

  std::shared_ptr<const lake::Snapshot> Bronze() {
    return (*lake::Table::Open(&store_, tables::kBronzePath))->snapshot();
  }

  // Changes the columns in a separate version, as another writer would.
  void ChangeColumns(const std::function<arrow::FieldVector(arrow::FieldVector)>& change) {
    const auto snapshot = Bronze();
    const auto first = store_.Get(lake::LogEntryPath(tables::kBronzePath, 0));
    lake::LogEntry entry = *lake::ParseLogEntry((*first)->ToString(), "0");
    lake::LogEntry next;
    next.metadata = entry.metadata;
    next.metadata->configuration = snapshot->properties();
    next.metadata->schema_string =
        *lake::FormatDeltaSchema(*arrow::schema(change(snapshot->schema()->fields())));
    const std::string path = lake::LogEntryPath(tables::kBronzePath, snapshot->version() + 1);
    ASSERT_EQ(*store_.PutIfAbsent(path, *arrow::Buffer::FromString(lake::FormatLogEntry(next))),
              lake::PutOutcome::kCreated);
  }

  Result<ReplaySummary> Replay(const ReplayFilter& filter = {},
                               QuarantineReplay::Options options = {}) {
    SchemaCache schemas = testing::EventSchemas(options_);
    ARROW_ASSIGN_OR_RAISE(auto bronze, lake::Table::Open(&store_, tables::kBronzePath));
    ARROW_ASSIGN_OR_RAISE(auto quarantine, lake::Table::Open(&store_, tables::kQuarantinePath));
    options.patience = {.first = Millis{1}, .longest = Millis{2}, .give_up_after = Millis{100}};
    options.commit_deadline = Millis{50};
    QuarantineReplay replay(testing::EventLayout(options_), kTopic, bronze.get(), quarantine.get(),
                            nullptr, &schemas, options);
    return replay.Run(filter);
  }

  LayoutOptions options_;
  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
};

TEST_F(EvolutionTest, ANewFieldBecomesAColumnInTheCommitOfItsFirstRows) {
  Consumer consumer = NewConsumer(0);
  EXPECT_EQ(consumer.Publish({testing::Event(1, "US", kOct24)}), CutOutcome::kCommitted);
  EXPECT_EQ(Bronze()->schema()->GetFieldIndex("left"), -1);
  EXPECT_EQ(consumer.Publish({testing::Event(2, "US", kOct24), testing::EventWithLeft(3, "x"),
                              testing::Event(4, "US", kOct24)}),
            CutOutcome::kCommitted);
  EXPECT_EQ(Bronze()->version(), 2) << "the column came in a commit of its own";
  EXPECT_EQ(Bronze()->file_count(), 2) << "the new field cost a file";
  EXPECT_EQ(Column("left"), (std::map<std::string, std::string>{
                                {"0/0", "null"}, {"0/1", "null"}, {"0/2", "x"}, {"0/3", "null"}}));
}

TEST_F(EvolutionTest, TwoConsumersThatMeetAnotherNewFieldAtOnceBothKeepIt) {
  Consumer a = NewConsumer(0), b = NewConsumer(1);
  const Cut left = a.Read({testing::EventWithLeft(1, "x"), testing::Event(2, "US", kOct24)});
  const Cut right = b.Read({testing::EventWithNumber(3, 7)});
  bool done = false;
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").Calls([&](const std::string&) {
    if (std::exchange(done, true)) return;
    EXPECT_EQ(b.Commit(right)->outcome, CutOutcome::kCommitted);
  });
  EXPECT_EQ(a.Commit(left)->outcome, CutOutcome::kCommitted);
  EXPECT_EQ(Bronze()->version(), 2);
  EXPECT_EQ(Column("left"),
            (std::map<std::string, std::string>{{"0/0", "x"}, {"0/1", "null"}, {"1/0", "null"}}));
  EXPECT_EQ(Column("right"),
            (std::map<std::string, std::string>{{"0/0", "null"}, {"0/1", "null"}, {"1/0", "7"}}));
  const TableMemory memory = *ReadTableMemory(*Bronze(), options_);
  EXPECT_THAT(memory.reader_schema->text(), HasSubstr("left"));
  EXPECT_THAT(memory.reader_schema->text(), HasSubstr("right"));
}

TEST_F(EvolutionTest, OfTwoTypesForOneNewFieldTheSecondIsReadAgain) {
  Consumer a = NewConsumer(0), b = NewConsumer(1);
  const Cut number = b.Read({testing::EventWithNumber(1, 7, testing::kWithLeftAsNumber)});
  EXPECT_EQ(a.Publish({testing::EventWithLeft(1, "x")}), CutOutcome::kCommitted);
  EXPECT_EQ(b.Commit(number)->outcome, CutOutcome::kOutgrown);
  EXPECT_EQ(Column("left"), (std::map<std::string, std::string>{{"0/0", "x"}}));

  // With the table as it is now, the record is no longer a row.
  Consumer again = NewConsumer(1);
  ASSERT_TRUE(again.schemas.Adopt(*ReadTableMemory(*Bronze(), options_)->reader_schema).ok());
  const Cut cut = again.Read({testing::EventWithNumber(1, 7, testing::kWithLeftAsNumber)});
  ASSERT_EQ(cut.quarantined.size(), 1u);
  EXPECT_EQ(cut.quarantined[0].cause, Cause::kIncompatibleSchema);
}

TEST_F(EvolutionTest, EveryStepOfAGrowingCommitMayFail) {
  Consumer consumer = NewConsumer(0);
  int64_t cuts = 0;
  for (int call = 0; call < 3; ++call) {
    for (const int kind : {0, 1, 2}) {
      simulate::Fault& fault = store_.On(Operation::kPutIfAbsent, "bronze-events").Skipping(call);
      if (kind == 0) fault.FailsBefore();
      if (kind == 1) fault.LosesReply();
      if (kind == 2) fault.TearsWrite();
      const auto value = cuts++ % 2 == 0 ? testing::EventWithLeft(cuts, "x")
                                         : testing::EventWithNumber(cuts, cuts);
      EXPECT_EQ(consumer.Publish({value}), CutOutcome::kCommitted) << call << " " << kind;
      store_.Heal();
    }
  }
  EXPECT_EQ(std::ssize(Column("left")), cuts);
  EXPECT_EQ(Column("right")["0/1"], "2");
}

TEST_F(EvolutionTest, AnothersColumnIsKeptAndAHarmedTableStops) {
  Consumer consumer = NewConsumer(0);
  EXPECT_EQ(consumer.Publish({testing::Event(1, "US", kOct24)}), CutOutcome::kCommitted);
  ChangeColumns([](arrow::FieldVector fields) {
    fields.push_back(arrow::field("theirs", arrow::float64()));
    return fields;
  });
  EXPECT_EQ(consumer.Publish({testing::EventWithLeft(2, "x")}), CutOutcome::kCommitted);
  EXPECT_GE(Bronze()->schema()->GetFieldIndex("theirs"), 0);
  EXPECT_EQ(Column("left")["0/1"], "x");

  ChangeColumns([](arrow::FieldVector fields) {
    std::erase_if(fields, [](const auto& field) { return field->name() == "left"; });
    return fields;
  });
  const auto refused = consumer.Commit(consumer.Read({testing::EventWithLeft(3, "y")}));
  EXPECT_THAT(refused.status().message(), HasSubstr("another writer changed the table's columns"));
  EXPECT_THAT(refused.status().message(), HasSubstr("no column left"));
}

TEST_F(EvolutionTest, TheBoundOfPartitionValuesHoldsForAllConsumersTogether) {
  options_.partition_values = {};
  options_.max_partition_values = 2;
  Consumer a = NewConsumer(0), b = NewConsumer(1);
  const Cut theirs = b.Read({testing::Event(1, "b1", kOct24), testing::Event(2, "b2", kOct24)});
  EXPECT_EQ(a.Publish({testing::Event(1, "a1", kOct24)}), CutOutcome::kCommitted);
  EXPECT_EQ(b.Commit(theirs)->outcome, CutOutcome::kOutgrown);
  Consumer again = NewConsumer(1);
  again.builder.Admit(ReadTableMemory(*Bronze(), options_)->partition_values);
  EXPECT_EQ(again.Publish({testing::Event(1, "b1", kOct24), testing::Event(2, "b2", kOct24)}),
            CutOutcome::kCommitted);
  EXPECT_THAT(ReadTableMemory(*Bronze(), options_)->partition_values,
              ElementsAre(ElementsAre("a1"), ElementsAre("b1")));
  EXPECT_EQ(Column("region"), (std::map<std::string, std::string>{{"0/0", "a1"}, {"1/0", "b1"}}));
}

TEST_F(EvolutionTest, RowsOfTheNullPartitionAreReadAsNullAndItIsNoValueOfTheTable) {
  options_.partition_values = {};
  options_.max_partition_values = 1;
  Consumer a = NewConsumer(0);
  EXPECT_EQ(a.Publish({testing::EventOfNoRegion(1), testing::Event(2, "", kOct24),
                       testing::Event(3, "EU", kOct24)}),
            CutOutcome::kCommitted);
  EXPECT_EQ(Column("region"),
            (std::map<std::string, std::string>{{"0/0", "null"}, {"0/1", "null"}, {"0/2", "EU"}}));
  std::vector<std::string> folders;
  for (const DataFile& file : Bronze()->Files()) {
    folders.push_back(file.path.substr(0, file.path.find('/')));
  }
  EXPECT_THAT(folders,
              ::testing::UnorderedElementsAre("region=__HIVE_DEFAULT_PARTITION__", "region=EU"));
  EXPECT_THAT(ReadTableMemory(*Bronze(), options_)->partition_values,
              ElementsAre(ElementsAre("EU")));

  Consumer b = NewConsumer(1);
  b.builder.Admit(ReadTableMemory(*Bronze(), options_)->partition_values);
  EXPECT_EQ(b.Publish({testing::EventOfNoRegion(4)}), CutOutcome::kCommitted);
  EXPECT_EQ(Column("region")["1/0"], "null");
}

// --- Replay

TEST_F(EvolutionTest, AReplayBringsWhatCanBeReadNowOnceWithItsOwnCoordinates) {
  Consumer consumer = NewConsumer(2);
  ASSERT_EQ(consumer.Publish({testing::Event(1, "MARS", kOct24), "garbage",
                              testing::Event(2, "US", kOct24), testing::Event(3, "VENUS", kOct24)}),
            CutOutcome::kCommitted);
  options_.partition_values.push_back("MARS");
  const ReplaySummary first = *Replay();
  EXPECT_EQ(first.replayed, 1);
  EXPECT_EQ(first.unreadable,
            (std::map<std::string, int64_t>{{"bad_frame", 1}, {"unknown_region", 1}}));
  EXPECT_EQ(Column("region"), (std::map<std::string, std::string>{{"2/0", "MARS"}, {"2/2", "US"}}));
  EXPECT_EQ(tables::ReadReplayed(*Bronze(), kTopicId)->Format(), "2:0");

  const ReplaySummary second = *Replay();
  EXPECT_EQ(second.replayed, 0);
  EXPECT_EQ(second.already_there, 1);
  EXPECT_EQ(std::ssize(Column("id")), 2);

  options_.partition_values.push_back("VENUS");
  EXPECT_EQ(Replay({.cause = "bad_frame"})->replayed, 0);
  EXPECT_EQ(Replay({.until_ms = kOct24})->replayed, 0) << "sent at noon";
  EXPECT_EQ(Replay({.cause = "unknown_region", .since_ms = kOct24})->replayed, 1);
  EXPECT_EQ(tables::ReadReplayed(*Bronze(), kTopicId)->Format(), "2:0,2");
}

TEST_F(EvolutionTest, AReplayJudgesARecordByTheTimestampItCameWith) {
  Consumer consumer = NewConsumer(0);
  for (const int64_t sent : {kNoTimestamp, int64_t{0}, kYear1Millis, kYear1Millis - 1,
                             kLastMillis + 1, std::numeric_limits<int64_t>::min()}) {
    consumer.sent = sent;
    ASSERT_EQ(consumer.Publish({testing::Event(1, "MARS", 946'684'800'000)}),
              CutOutcome::kCommitted);
  }
  options_.partition_values.push_back("MARS");
  const ReplaySummary summary = *Replay();
  EXPECT_EQ(summary.replayed, 1);
  EXPECT_EQ(summary.unreadable, (std::map<std::string, int64_t>{{"bad_timestamp", 5}}));
  EXPECT_EQ(Column("kafka_timestamp"), (std::map<std::string, std::string>{{"0/0", "null"}}));
}

TEST_F(EvolutionTest, NoCommitOfAReplayHasMoreThanTheOpenPartitions) {
  Consumer consumer = NewConsumer(0);
  std::vector<std::string> values;
  for (int64_t day = 0; day < 7; ++day) {
    for (int twice = 0; twice < 2; ++twice) {
      values.push_back(testing::Event(day, "MARS", kOct24 - day * testing::kDay));
    }
    values.push_back("garbage");
  }
  ASSERT_EQ(consumer.Publish(values), CutOutcome::kCommitted);
  options_.partition_values.push_back("MARS");
  const int64_t before = Bronze()->version();
  const ReplaySummary summary = *Replay({}, {.open_partitions = 2});
  EXPECT_EQ(summary.replayed, 14);
  EXPECT_EQ(summary.unreadable, (std::map<std::string, int64_t>{{"bad_frame", 7}}));
  EXPECT_EQ(std::ssize(Column("id")), 14);
  for (int64_t version = before + 1; version <= Bronze()->version(); ++version) {
    const auto entry = *store_.Get(lake::LogEntryPath(tables::kBronzePath, version));
    EXPECT_LE((*lake::ParseLogEntry(entry->ToString(), "")).adds.size(), 2u) << version;
  }
}

TEST_F(EvolutionTest, TwoReplaysAtOnceBringEachRecordOnce) {
  Consumer consumer = NewConsumer(0);
  std::vector<std::string> values(25, testing::Event(1, "MARS", kOct24));
  ASSERT_EQ(consumer.Publish(values), CutOutcome::kCommitted);
  options_.partition_values.push_back("MARS");
  bool done = false;
  ReplaySummary other;
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").Calls([&](const std::string&) {
    if (std::exchange(done, true)) return;
    other = *Replay({}, {.batch_rows = 10});
  });
  const ReplaySummary summary = *Replay({}, {.batch_rows = 10});
  EXPECT_EQ(other.replayed, 25);
  EXPECT_EQ(summary.replayed, 0);
  EXPECT_EQ(summary.already_there, 25);
  EXPECT_EQ(std::ssize(Column("id")), 25);
}

TEST_F(EvolutionTest, AReplayKilledAtAnyCallIsFinishedByTheNext) {
  Consumer consumer = NewConsumer(0);
  int64_t rows = 0;
  options_.partition_values.push_back("MARS");
  for (const Operation operation : {Operation::kPut, Operation::kPutIfAbsent}) {
    for (int call = 0; call < 4; ++call) {
      ASSERT_EQ(consumer.Publish(std::vector<std::string>(6, testing::Event(1, "MARS", kOct24))),
                CutOutcome::kCommitted);
      rows += 6;
      store_.On(operation, "bronze-events").Skipping(call).LosesReply();
      store_.OnAny("bronze-events").Skipping(call + 1).FailsBefore().Always();
      (void)Replay({}, {.batch_rows = 2});
      store_.Heal();
      const auto finished = Replay({}, {.batch_rows = 2});
      ASSERT_TRUE(finished.ok()) << finished.status();
      EXPECT_EQ(std::ssize(Column("id")), rows);
      EXPECT_EQ(tables::ReadReplayed(*Bronze(), kTopicId)->size(), rows);
    }
  }
}

TEST_F(EvolutionTest, WhatIngestHasNotPassedIsLeftToIt) {
  Consumer consumer = NewConsumer(0);
  store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").FailsBefore().Always();
  EXPECT_FALSE(consumer.Commit(consumer.Read({testing::Event(1, "MARS", kOct24)})).ok());
  store_.Heal();
  options_.partition_values.push_back("MARS");
  const ReplaySummary summary = *Replay();
  EXPECT_EQ(summary.awaited, 1);
  EXPECT_EQ(summary.replayed, 0);
}

TEST_F(EvolutionTest, AReplayGrowsTheTableToo) {
  Consumer consumer = NewConsumer(0);
  ASSERT_EQ(
      consumer.Publish({testing::EventWithLeft(1, "x", "MARS"), testing::Event(2, "US", kOct24)}),
      CutOutcome::kCommitted);
  options_.partition_values.push_back("MARS");
  EXPECT_EQ(Replay()->replayed, 1);
  EXPECT_EQ(Column("left"), (std::map<std::string, std::string>{{"0/0", "x"}, {"0/1", "null"}}));
}

TEST_F(EvolutionTest, AForgottenLedgerStopsTheReplay) {
  Consumer consumer = NewConsumer(0);
  ASSERT_EQ(consumer.Publish({testing::Event(1, "MARS", kOct24)}), CutOutcome::kCommitted);
  options_.partition_values.push_back("MARS");
  EXPECT_EQ(Replay()->replayed, 1);
  const auto first = store_.Get(lake::LogEntryPath(tables::kBronzePath, 0));
  lake::LogEntry entry;
  entry.metadata = lake::ParseLogEntry((*first)->ToString(), "0")->metadata;
  ASSERT_TRUE(store_
                  .PutIfAbsent(lake::LogEntryPath(tables::kBronzePath, Bronze()->version() + 1),
                               *arrow::Buffer::FromString(lake::FormatLogEntry(entry)))
                  .ok());
  EXPECT_THAT(Replay().status().message(), HasSubstr("has lost its property"));
  EXPECT_EQ(std::ssize(Column("id")), 1);
}

}  // namespace
}  // namespace shopstream::ingest
