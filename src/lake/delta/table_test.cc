#include "lake/delta/table.h"

#include <arrow/array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/json.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/table_testing.h"

namespace shopstream::lake {
namespace {

using simulate::Fault;
using simulate::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using testing::Described;
using testing::File;
using testing::kPath;
using testing::Names;
using testing::Spec;
using testing::TableTest;

// --- The plain way -------------------------------------------------------------------------------

TEST_F(TableTest, AnAppendIsTheNextVersion) {
  EXPECT_EQ(1, Append("a.parquet").version);
  EXPECT_EQ(2, Append("b.parquet").version);
  EXPECT_THAT(Names(*table_->snapshot()), ElementsAre("a.parquet", "b.parquet"));
  EXPECT_EQ(Described(*table_->snapshot()), Described(*Loaded()));
}

TEST_F(TableTest, FilesThatAVacuumMayHaveTakenAreNotCommitted) {
  Changes changes;
  changes.adds = {File("a.parquet")};
  changes.written_since = BootClock::now() - std::chrono::minutes(31);
  const CommitResult refused = Commit(changes);
  EXPECT_EQ(CommitOutcome::kConflict, refused.outcome);
  EXPECT_TRUE(refused.too_old);
  EXPECT_THAT(refused.detail, HasSubstr("deletedFileRetentionDuration"));
  Changes none = changes;
  none.adds = {};
  EXPECT_EQ(CommitOutcome::kCommitted, Commit(none).outcome);
  changes.written_since = BootClock::now() - std::chrono::minutes(29);
  EXPECT_EQ(CommitOutcome::kCommitted, Commit(changes).outcome);
}

TEST_F(TableTest, AWriterMustSaySinceWhenItsFilesExist) {
  Changes changes;
  changes.adds = {File("a.parquet")};
  const Status status = table_->Commit(Unconditionally(changes), In(Millis{1000})).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("a.parquet"));
  EXPECT_EQ(1, EntryCount());
}

TEST_F(TableTest, AnErrorOfTheWriterIsReturnedAndNothingIsWritten) {
  const auto fails = [](const Snapshot&) -> Result<ChangesOrRefusal> {
    return Status::Invalid("the writer's own");
  };
  EXPECT_THAT(table_->Commit(fails, In(Millis{1000})).status().message(),
              HasSubstr("the writer's own"));
  EXPECT_EQ(1, EntryCount());
}

TEST_F(TableTest, NothingIsCommittedIntoATableThatIsGone) {
  EXPECT_EQ(1, Append("a.parquet").version);
  for (const ObjectEntry& object : *store_.inner()->List("")) {
    ASSERT_TRUE(store_.inner()->Delete(object.path).ok());
  }
  const Status gone = AppendError("b.parquet");
  EXPECT_TRUE(gone.IsInvalid()) << gone;
  EXPECT_NE(gone.message().find("is gone"), std::string::npos) << gone;
  EXPECT_TRUE(store_.inner()->List("")->empty());
}

TEST_F(TableTest, ACommitWithoutFilesRecordsItsTxn) {
  Changes changes;
  changes.txns = {{"shopstream/x/0", 17}};
  EXPECT_EQ(CommitOutcome::kCommitted, Commit(changes).outcome);
  EXPECT_EQ(17, Loaded()->Txn("shopstream/x/0"));
  EXPECT_EQ(std::nullopt, Loaded()->Txn("shopstream/x/1"));
}

TEST_F(TableTest, TheFirstVersionCarriesTheLakesDefaults) {
  EXPECT_EQ("100", Loaded()->properties().at("delta.checkpointInterval"));
  EXPECT_EQ("interval 1 days", Loaded()->properties().at("delta.logRetentionDuration"));
  EXPECT_EQ("interval 1 hours", Loaded()->properties().at("delta.deletedFileRetentionDuration"));
  EXPECT_TRUE(Loaded()->schema()->Equals(*Spec().schema));
}

TEST_F(TableTest, AnAppendSaysThatItReadNothing) {
  Append("a.parquet");
  const auto text = *store_.Get(LogEntryPath(kPath, 1));
  const auto entry = *ParseLogEntry(std::string_view(*text), "1");
  EXPECT_EQ(true, (*entry.commit_info)["isBlindAppend"]);
  EXPECT_EQ("WRITE", (*entry.commit_info)["operation"]);
  EXPECT_EQ(36U, CommitId(entry).size());
}

TEST_F(TableTest, OpeningNoTableIsAKeyError) {
  const auto table = Table::Open(&store_, "no-such-table");
  EXPECT_TRUE(table.status().IsKeyError());
  EXPECT_THAT(table.status().message(), HasSubstr("no-such-table"));
}

TEST_F(TableTest, RefreshReadsOnlyWhatIsNew) {
  OtherAppends("a.parquet");
  OtherAppends("b.parquet");
  const int gets = store_.Count(Operation::kGet);
  const int lists = store_.Count(Operation::kList);
  EXPECT_EQ(2, (*table_->Refresh())->version());
  EXPECT_EQ(gets + 4,
            store_.Count(Operation::kGet));  // Two entries, a missing third, and the known one.
  EXPECT_EQ(lists, store_.Count(Operation::kList));
}

TEST_F(TableTest, AReaderFarBehindLoadsFromTheCheckpoint) {
  const auto other = OtherWriter();
  Changes changes;
  for (int i = 0; i < 300; ++i) {
    changes.txns["app"] = i;
    ASSERT_TRUE(other->Commit(Unconditionally(changes), In(Millis{10000})).ok());
  }
  EXPECT_EQ(299, (*table_->Refresh())->Txn("app"));
  EXPECT_EQ(300, table_->snapshot()->version());
}

// --- Creating ------------------------------------------------------------------------------------

TEST_F(TableTest, OfTwoCreatorsOneWinsAndTheOtherOpens) {
  TableSpec spec = Spec();
  spec.path = "silver-events";
  store_.On(Operation::kPutIfAbsent, "silver-events").Calls([&](const std::string&) {
    ASSERT_TRUE(Table::OpenOrCreate(store_.inner(), spec).ok());
  });
  const auto table = Table::OpenOrCreate(&store_, spec);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(0, (*table)->snapshot()->version());
}

TEST_F(TableTest, ManyCreatorsAtOnceMakeOneTable) {
  TableSpec spec = Spec();
  spec.path = "silver-events";
  std::vector<std::thread> creators;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 8; ++i) {
    creators.emplace_back([&] { opened += Table::OpenOrCreate(&store_, spec).ok(); });
  }
  for (auto& creator : creators) creator.join();
  EXPECT_EQ(8, opened);
  EXPECT_EQ(1U, store_.inner()->List("silver-events/").ValueOrDie().size());
}

TEST_F(TableTest, CreationSurvivesALostReply) {
  TableSpec spec = Spec();
  spec.path = "silver-events";
  store_.LoseNextReply();
  const auto table = Table::OpenOrCreate(&store_, spec);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(0, (*table)->snapshot()->version());
}

TEST_F(TableTest, OpeningChecksColumnsAndPartitioning) {
  TableSpec other_type = Spec();
  other_type.schema =
      *other_type.schema->SetField(1, arrow::field("amount", arrow::decimal128(18, 2)));
  EXPECT_THAT(Table::OpenOrCreate(&store_, other_type).status().message(),
              HasSubstr("column amount is double in the table"));
  TableSpec more = Spec();
  more.schema = *more.schema->AddField(0, arrow::field("added", arrow::int64()));
  EXPECT_THAT(Table::OpenOrCreate(&store_, more).status().message(),
              HasSubstr("has no column added"));
  TableSpec flat = Spec();
  flat.partition_columns = {};
  EXPECT_THAT(Table::OpenOrCreate(&store_, flat).status().message(),
              HasSubstr("partitioned by (region, date)"));
}

// --- Replies lost, writes torn, stores down ------------------------------------------------------

TEST_F(TableTest, ALostReplyIsFoundToBeOurs) {
  store_.LoseNextReply();
  const CommitResult result = Append("a.parquet");
  EXPECT_EQ(CommitOutcome::kCommitted, result.outcome);
  EXPECT_EQ(1, result.version);
  EXPECT_EQ(2, EntryCount());
  EXPECT_THAT(Names(*Loaded()), ElementsAre("a.parquet"));
}

TEST_F(TableTest, RepliesLostAgainAndAgainCommitOnce) {
  store_.On(Operation::kPutIfAbsent).LosesReply().Times(3);
  store_.On(Operation::kGet, "00001.json").FailsBefore().Times(2);
  EXPECT_EQ(1, Append("a.parquet").version);
  EXPECT_EQ(2, EntryCount());
}

TEST_F(TableTest, AFailedWriteIsSentAgainToTheSameVersion) {
  store_.On(Operation::kPutIfAbsent).FailsBefore().Times(2);
  EXPECT_EQ(1, Append("a.parquet").version);
  EXPECT_EQ(2, EntryCount());
}

TEST_F(TableTest, ATornWriteLeavesNothingThatReadersMind) {
  store_.On(Operation::kPutIfAbsent).TearsWrite().Times(2);
  EXPECT_EQ(1, Append("a.parquet").version);
  EXPECT_THAT(Names(*Loaded()), ElementsAre("a.parquet"));
}

TEST_F(TableTest, AfterALostRequestAnothersEntryMeansTheNextVersion) {
  store_.On(Operation::kPutIfAbsent, "00001.json").FailsBefore().Calls([this](const std::string&) {
    OtherAppends("theirs.parquet");
  });
  const CommitResult result = Append("ours.parquet");
  EXPECT_EQ(2, result.version);
  EXPECT_EQ(2, result.attempts);
  EXPECT_THAT(Names(*Loaded()), ElementsAre("ours.parquet", "theirs.parquet"));
}

TEST_F(TableTest, AStoreThatNeverAnswersLeavesTheOutcomeUnknown) {
  store_.On(Operation::kPutIfAbsent).LosesReply().Always();
  store_.On(Operation::kGet).FailsBefore().Always();
  const CommitResult result = Append("a.parquet", Millis{200});
  EXPECT_EQ(CommitOutcome::kUnknown, result.outcome);
  EXPECT_THAT(result.detail, HasSubstr("injected fault"));
  store_.Heal();
  EXPECT_THAT(Names(**table_->Refresh()), ElementsAre("a.parquet"));  // This time it is committed.
}

TEST_F(TableTest, NothingIsSentAfterTheDeadline) {
  const CommitResult result = Append("a.parquet", Millis{-1});
  EXPECT_EQ(CommitOutcome::kConflict, result.outcome);
  EXPECT_EQ(1, EntryCount());
}

TEST_F(TableTest, AStoreDownWhileReadingWhatOthersWroteIsNoUnknownOutcome) {
  OtherAppends("theirs.parquet");
  // The conflicting entry can be read once (to see whose it is), then nothing can.
  store_.On(Operation::kGet, "00001.json").Skipping(1).FailsBefore().Always();
  const CommitResult result = Append("ours.parquet", Millis{200});
  EXPECT_EQ(CommitOutcome::kConflict, result.outcome);
  EXPECT_THAT(Names(*Loaded()), ElementsAre("theirs.parquet"));
}

TEST_F(TableTest, EveryCallMayFailOnceAndNothingIsLostOrDoubled) {
  // Fails the n-th call of any kind during the commit, for n = 0, 1, ... until none is left.
  for (const bool lose : {false, true}) {
    for (int n = 0;; ++n) {
      OtherAppends("theirs-" + std::to_string(lose) + std::to_string(n));  // Forces a second round.
      Fault& fault = store_.OnAny().Skipping(n);
      lose ? fault.LosesReply() : fault.FailsBefore();
      std::atomic<bool> struck = false;
      fault.Calls([&](const std::string&) { struck = true; });
      const std::string name = "ours-" + std::to_string(lose) + std::to_string(n);
      const CommitResult result = Append(name);
      store_.Heal();
      ASSERT_EQ(CommitOutcome::kCommitted, result.outcome) << result.detail;
      const auto names = Names(*Loaded());
      ASSERT_EQ(1, std::count(names.begin(), names.end(), name));
      ASSERT_EQ(EntryCount(), Loaded()->version() + 1);
      if (!struck) break;
      ASSERT_LT(n, 50);
    }
  }
}

// --- Preconditions and other writers -------------------------------------------------------------

TEST_F(TableTest, ARefusedPreconditionWritesNothing) {
  Changes changes;
  changes.txns["app"] = 10;
  const auto refuse = [](const Snapshot&) { return Refusal{"not now", 7}; };
  const auto result = table_->Commit(refuse, In(Millis{10000}));
  EXPECT_EQ(CommitOutcome::kConflict, result->outcome);
  ASSERT_TRUE(result->refusal);
  EXPECT_EQ(7, result->refusal->code);
  EXPECT_EQ("not now at version 0", result->detail);
  EXPECT_EQ(1, EntryCount());
}

TEST_F(TableTest, ThePreconditionIsAskedAgainOfWhatOthersWrote) {
  // A late commit of a consumer that lost its partition.
  Changes changes;
  changes.adds = {File("late.parquet")};
  changes.written_since = BootClock::now();
  changes.txns["app"] = 20;
  const auto at_10 = [](const Changes& wanted) -> Prepare {
    return [&wanted](const Snapshot& base) -> ChangesOrRefusal {
      if (base.Txn("app").value_or(10) == 10) return wanted;
      return Refusal{"another consumer was here"};
    };
  };
  store_.On(Operation::kPutIfAbsent, "00001.json").Calls([&](const std::string&) {
    Changes theirs;
    theirs.adds = {File("owner.parquet")};
    theirs.written_since = BootClock::now();
    theirs.txns["app"] = 15;
    ASSERT_TRUE(OtherWriter()->Commit(at_10(theirs), In(Millis{10000})).ok());
  });
  const auto result = table_->Commit(at_10(changes), In(Millis{10000}));
  EXPECT_EQ(CommitOutcome::kConflict, result->outcome);
  EXPECT_EQ(2, result->attempts);
  EXPECT_EQ(15, Loaded()->Txn("app"));
  EXPECT_THAT(Names(*Loaded()), ElementsAre("owner.parquet"));
}

TEST_F(TableTest, ConcurrentWritersLoseNothingAndLeaveNoGap) {
  constexpr int kWriters = 4;
  constexpr int kCommits = 25;
  store_.On(Operation::kPutIfAbsent).Skipping(5).LosesReply().Times(5);
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const auto table = Table::Open(&store_, kPath).ValueOrDie();
      for (int i = 0; i < kCommits;) {
        // A counter that all of them increment: a duplicate or lost commit would show in it.
        const int64_t seen = table->Refresh().ValueOrDie()->Txn("counter").value_or(0);
        Changes changes;
        changes.adds = {File(std::to_string(w) + "-" + std::to_string(i))};
        changes.written_since = BootClock::now();
        changes.txns["counter"] = seen + 1;
        const auto fenced = [&](const Snapshot& base) -> ChangesOrRefusal {
          if (base.Txn("counter").value_or(0) == seen) return changes;
          return Refusal{"another writer counted on"};
        };
        const auto result = table->Commit(fenced, In(Millis{30000})).ValueOrDie();
        ASSERT_NE(CommitOutcome::kUnknown, result.outcome);
        i += result.outcome == CommitOutcome::kCommitted;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(kWriters * kCommits, Loaded()->Txn("counter"));
  EXPECT_EQ(kWriters * kCommits, Loaded()->file_count());
  EXPECT_EQ(kWriters * kCommits, Loaded()->version());
  EXPECT_EQ(kWriters * kCommits + 1, EntryCount());
}

TEST_F(TableTest, ARemoveIsRetriedWhileItsFilesLive) {
  Append("small-1.parquet");
  Changes optimize;
  optimize.operation = "OPTIMIZE";
  optimize.data_change = false;
  optimize.adds = {File("large.parquet")};
  optimize.written_since = BootClock::now();
  optimize.removes = {File("small-1.parquet")};
  store_.On(Operation::kPutIfAbsent, "00002.json").Calls([this](const std::string&) {
    OtherAppends("small-2.parquet");
  });
  EXPECT_EQ(3, Commit(optimize).version);
  EXPECT_THAT(Names(*Loaded()), ElementsAre("large.parquet", "small-2.parquet"));
  const auto text = *store_.Get(LogEntryPath(kPath, 3));
  const auto entry = *ParseLogEntry(std::string_view(*text), "3");
  EXPECT_EQ(false, (*entry.commit_info)["isBlindAppend"]);
  EXPECT_FALSE(entry.adds[0].data_change);
  EXPECT_FALSE(entry.removes[0].data_change);
}

TEST_F(TableTest, ARemoveOfAFileThatIsGoneIsDiscarded) {
  Append("a.parquet");
  Changes remove;
  remove.removes = {File("a.parquet")};
  store_.On(Operation::kPutIfAbsent, "00002.json").Calls([&](const std::string&) {
    ASSERT_TRUE(OtherWriter()->Commit(Unconditionally(remove), In(Millis{10000})).ok());
  });
  EXPECT_EQ(CommitOutcome::kConflict, Commit(remove).outcome);
  EXPECT_EQ(2, Loaded()->version());
}

TEST_F(TableTest, AFileOccursOnceInACommit) {
  Changes changes;
  changes.adds = {File("a.parquet"), File("a.parquet")};
  changes.written_since = BootClock::now();
  EXPECT_THAT(table_->Commit(Unconditionally(changes), In(Millis{1000})).status().message(),
              HasSubstr("occurs twice"));
}

TEST_F(TableTest, AFileSpellsOutEveryPartitionColumn) {
  Changes changes;
  changes.adds = {File("a.parquet")};
  changes.written_since = BootClock::now();
  changes.adds[0].partition_values.pop_back();
  EXPECT_TRUE(table_->Commit(Unconditionally(changes), In(Millis{1000})).status().IsInvalid());
}

// --- What stops the writer -----------------------------------------------------------------------

std::string MetadataWith(const std::string& configuration, const std::string& more_fields = "",
                         const std::string& partition_columns = R"(["region","date"])") {
  const nlohmann::json schema = nlohmann::json::parse(
      R"({"type":"struct","fields":[
          {"name":"event_id","type":"string","nullable":true,"metadata":{}},
          {"name":"amount","type":"double","nullable":true,"metadata":{}},
          {"name":"region","type":"string","nullable":true,"metadata":{}},
          {"name":"date","type":"date","nullable":true,"metadata":{}})" +
      more_fields + "]}");
  return R"({"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":)" +
         nlohmann::json(schema.dump()).dump() + R"(,"partitionColumns":)" + partition_columns +
         R"(,"configuration":)" + configuration + "}}\n";
}

TEST_F(TableTest, AProtocolBeyondOursStopsTheWriter) {
  OtherWritesEntry(R"({"protocol":{"minReaderVersion":1,"minWriterVersion":4}})");
  EXPECT_TRUE(AppendError("a.parquet").IsNotImplemented());
  EXPECT_THAT(AppendError("a.parquet").message(), HasSubstr("writer version 4"));
}

TEST_F(TableTest, AReaderFeatureStopsReaders) {
  OtherWritesEntry(R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":)"
                   R"(["deletionVectors"],"writerFeatures":["deletionVectors"]}})");
  EXPECT_THAT(table_->Refresh().status().message(), HasSubstr("deletionVectors"));
  EXPECT_THAT(Table::Open(&store_, kPath).status().message(), HasSubstr("deletionVectors"));
}

TEST_F(TableTest, AConstraintStopsTheWriter) {
  OtherWritesEntry(MetadataWith(R"({"delta.constraints.positive":"amount > 0"})"));
  EXPECT_THAT(AppendError("a.parquet").message(), HasSubstr("delta.constraints.positive"));
}

TEST_F(TableTest, ForgettingTxnsStopsTheWriter) {
  OtherWritesEntry(MetadataWith(R"({"delta.setTransactionRetentionDuration":"interval 1 days"})"));
  EXPECT_THAT(AppendError("a.parquet").message(),
              HasSubstr("delta.setTransactionRetentionDuration"));
}

TEST_F(TableTest, AnotherPartitioningStopsTheWriter) {
  OtherWritesEntry(MetadataWith("{}", "", R"(["date"])"));
  EXPECT_THAT(AppendError("a.parquet").message(), HasSubstr("partitioned by (date)"));
}

TEST_F(TableTest, AnInvariantStopsTheWriter) {
  OtherWritesEntry(MetadataWith(
      "{}", R"(,{"name":"n","type":"long","nullable":true,"metadata":{"delta.invariants":"{}"}})"));
  EXPECT_THAT(AppendError("a.parquet").message(), HasSubstr("delta.invariants"));
}

TEST_F(TableTest, AddedColumnsAreWelcomeUnlessRequired) {
  OtherWritesEntry(
      MetadataWith("{}", R"(,{"name":"note","type":"string","nullable":true,"metadata":{}})"));
  EXPECT_EQ(2, Append("a.parquet").version);
  OtherWritesEntry(
      MetadataWith("{}", R"(,{"name":"must","type":"string","nullable":false,"metadata":{}})"));
  EXPECT_THAT(AppendError("b.parquet").message(), HasSubstr("column must"));
}

TEST_F(TableTest, AppendOnlyRefusesRemovesThatChangeData) {
  Append("a.parquet");
  OtherWritesEntry(MetadataWith(R"({"delta.appendOnly":"true"})"));
  Changes remove;
  remove.removes = {File("a.parquet")};
  EXPECT_THAT(table_->Commit(Unconditionally(remove), In(Millis{1000})).status().message(),
              HasSubstr("append-only"));
}

TEST_F(TableTest, UnknownActionsAreIgnored) {
  OtherWritesEntry("{\"weather\":{\"sun\":true}}\n\n{\"cdc\":{\"path\":\"x\"}}\n");
  EXPECT_EQ(2, Append("a.parquet").version);
}

TEST_F(TableTest, ADamagedEntryIsNamed) {
  OtherWritesEntry("{\"add\":{\"path\":\"half");
  EXPECT_THAT(Table::Open(&store_, kPath).status().message(),
              HasSubstr("00000000000000000001.json"));
}

}  // namespace
}  // namespace shopstream::lake
