#include "lake/delta/table.h"

#include <arrow/array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/json.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/log_entry.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::Fault;
using simulate::FaultyStore;
using simulate::MemoryStore;
using simulate::Operation;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPath[] = "bronze-events";

TableSpec Spec() {
  TableSpec spec;
  spec.path = kPath;
  spec.schema = arrow::schema(
      {arrow::field("event_id", arrow::utf8()), arrow::field("amount", arrow::float64()),
       arrow::field("region", arrow::utf8()), arrow::field("date", arrow::date32())});
  spec.partition_columns = {"region", "date"};
  return spec;
}

DataFile File(const std::string& name) {
  DataFile file;
  file.path = "region=US/date=2025-10-24/" + name;
  file.partition_values = {{"region", "US"}, {"date", "2025-10-24"}};
  file.size_bytes = 100;
  file.rows = 3;
  file.modified_ms = 1761264000000;
  file.statistics = R"({"numRecords":3,"minValues":{"amount":1.5},"nullCount":{"amount":0}})";
  return file;
}

std::vector<std::string> Names(const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const DataFile& file : snapshot.Files()) {
    names.push_back(file.path.substr(file.path.rfind('/') + 1));
  }
  return names;
}

// Everything that a reader can see of a version, as text.
std::string Described(const Snapshot& snapshot) {
  std::string out = snapshot.schema()->ToString();
  for (const auto& [key, value] : snapshot.properties()) out += "\n" + key + "=" + value;
  for (const auto& [app_id, version] : snapshot.Txns()) {
    out += "\n" + app_id + "@" + std::to_string(version);
  }
  for (const DataFile& file : snapshot.Files()) {
    out += "\n" + file.path + " " + std::to_string(file.size_bytes) + " " +
           std::to_string(file.rows) + " " + std::to_string(file.modified_ms) + " " +
           file.statistics;
    for (const auto& [column, value] : file.partition_values) {
      out += " " + column + "=" + value.value_or("null");
    }
  }
  return out;
}

class TableTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen(const TableSpec& spec = Spec()) {
    table_.reset();  // Waits for the checkpoint it is writing.
    auto table = Table::OpenOrCreate(&store_, spec);
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }

  static BootClock::time_point In(Millis time) { return BootClock::now() + time; }

  CommitResult Commit(const Changes& changes, Millis time = Millis{10000}) {
    auto result = table_->Commit(Unconditionally(changes), In(time));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ValueOr(CommitResult());
  }
  CommitResult Append(const std::string& name, Millis time = Millis{10000}) {
    Changes changes;
    changes.adds = {File(name)};
    changes.written_since = BootClock::now();
    return Commit(changes, time);
  }
  Status AppendError(const std::string& name) {
    Changes changes;
    changes.adds = {File(name)};
    changes.written_since = BootClock::now();
    return table_->Commit(Unconditionally(changes), In(Millis{10000})).status();
  }

  // Another program, with its own connection that does not fail.
  std::unique_ptr<Table> OtherWriter() {
    return Table::OpenOrCreate(store_.inner(), Spec()).ValueOrDie();
  }
  void OtherAppends(const std::string& name) {
    Changes changes;
    changes.adds = {File(name)};
    changes.written_since = BootClock::now();
    ASSERT_EQ(CommitOutcome::kCommitted,
              OtherWriter()->Commit(Unconditionally(changes), In(Millis{10000}))->outcome);
  }
  void OtherWritesEntry(const std::string& json_lines) {
    const int64_t version = Table::Open(store_.inner(), kPath).ValueOrDie()->snapshot()->version();
    PutText(LogEntryPath(kPath, version + 1), json_lines);
  }
  void PutText(const std::string& path, const std::string& text) {
    ASSERT_TRUE(store_.inner()->Put(path, *arrow::Buffer::FromString(text)).ok());
  }
  void Delete(const std::string& path) { ASSERT_TRUE(store_.inner()->Delete(path).ok()); }

  std::shared_ptr<const Snapshot> Loaded() {
    auto table = Table::Open(store_.inner(), kPath);
    EXPECT_TRUE(table.ok()) << table.status();
    return table.ok() ? (*table)->snapshot() : nullptr;
  }
  int64_t EntryCount() {
    int64_t count = 0;
    const auto objects = store_.inner()->List(LogFolder(kPath)).ValueOrDie();
    for (const auto& object : objects) count += object.path.ends_with(".json");
    return count;
  }
  bool HasCheckpoint(int64_t version) {
    return *store_.inner()->Get(CheckpointPath(version)) != nullptr;
  }
  static std::string CheckpointPath(int64_t version) {
    return LogFolder(kPath) + ZeroPadded(version, 20) + ".checkpoint.parquet";
  }

  FaultyStore store_{std::make_unique<MemoryStore>()};
  std::unique_ptr<Table> table_;
};

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
  const auto fails = [](const Snapshot&) -> Result<std::variant<Changes, Refusal>> {
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
    return [&wanted](const Snapshot& base) -> std::variant<Changes, Refusal> {
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
        const auto fenced = [&](const Snapshot& base) -> std::variant<Changes, Refusal> {
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

// --- Checkpoints ---------------------------------------------------------------------------------

class CheckpointTest : public TableTest {
 protected:
  void SetUp() override {
    TableSpec spec = Spec();
    spec.properties["delta.checkpointInterval"] = "10";
    Reopen(spec);
  }
  // Adds, removes and progress up to version 25, with checkpoints of 10 and 20.
  void Grow() {
    for (int i = 1; i <= 25; ++i) {
      Changes changes;
      changes.adds = {File("f" + std::to_string(i))};
      changes.written_since = BootClock::now();
      changes.adds[0].partition_values[0].second =
          i % 5 == 0 ? std::nullopt : std::optional<std::string>("E U/%");
      if (i % 3 == 0) changes.removes = {File("f" + std::to_string(i - 1))};
      changes.txns["app" + std::to_string(i % 4)] = i * 100;
      ASSERT_EQ(i, Commit(changes).version);
      if (i % 10 == 0) Reopen();  // Waits for the checkpoint.
    }
  }
};

TEST_F(CheckpointTest, ACheckpointEqualsTheReplayedLog) {
  Grow();
  ASSERT_TRUE(HasCheckpoint(10));
  ASSERT_TRUE(HasCheckpoint(20));
  const std::string replayed = Described(*table_->snapshot());
  for (int i = 0; i <= 20; ++i) Delete(LogEntryPath(kPath, i));
  EXPECT_EQ(replayed, Described(*Loaded()));
  EXPECT_EQ(20, *ReadCheckpointHint(&store_, kPath));
  Delete(LogFolder(kPath) + "_last_checkpoint");
  EXPECT_EQ(replayed, Described(*Loaded()));
}

TEST_F(CheckpointTest, AReaderNeedsNoEntryBesideTheCheckpoint) {
  Grow();
  for (int i = 0; i <= 25; ++i) Delete(LogEntryPath(kPath, i));
  EXPECT_EQ(20, Loaded()->version());
}

TEST_F(CheckpointTest, AWrongHintIsOnlyAHint) {
  Grow();
  const std::string replayed = Described(*table_->snapshot());
  for (const char* hint : {R"({"version":999,"size":1})", R"({"version":15,"size":1})",
                           R"({"version":10,"size":1})", R"({"version":"x"})", "torn {", ""}) {
    PutText(LogFolder(kPath) + "_last_checkpoint", hint);
    EXPECT_EQ(replayed, Described(*Loaded())) << hint;
  }
}

TEST_F(CheckpointTest, ADamagedCheckpointGivesWayToAnOlderOneOrTheEntries) {
  Grow();
  const std::string replayed = Described(*table_->snapshot());
  PutText(CheckpointPath(20), "not Parquet");
  EXPECT_EQ(replayed, Described(*Loaded()));
  PutText(CheckpointPath(10), "");
  EXPECT_EQ(replayed, Described(*Loaded()));
}

TEST_F(CheckpointTest, APartlyWrittenMultiPartCheckpointIsIgnored) {
  Grow();
  PutText(LogFolder(kPath) + ZeroPadded(25, 20) + ".checkpoint.0000000001.0000000002.parquet", "x");
  EXPECT_EQ(25, Loaded()->version());
}

TEST_F(CheckpointTest, AGapInTheEntriesIsNamed) {
  Grow();
  Delete(LogEntryPath(kPath, 22));
  const Status status = Table::Open(&store_, kPath).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("incomplete"));
}

TEST_F(CheckpointTest, AGapThatClosesIsReadAgain) {
  Grow();
  const auto entry = *store_.Get(LogEntryPath(kPath, 22));
  Delete(LogEntryPath(kPath, 22));
  store_.On(Operation::kList).Skipping(2).Calls([&](const std::string&) {
    ASSERT_TRUE(store_.inner()->Put(LogEntryPath(kPath, 22), *entry).ok());
  });
  EXPECT_EQ(25, Table::Open(&store_, kPath).ValueOrDie()->snapshot()->version());
}

TEST_F(CheckpointTest, AFailedCheckpointDoesNotFailTheCommit) {
  store_.On(Operation::kPutIfAbsent, "checkpoint").FailsBefore();
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(i, Append("f" + std::to_string(i)).version);
  }
  Reopen();
  EXPECT_FALSE(HasCheckpoint(10));
  EXPECT_EQ(11, Append("f11").version);
  Reopen();
  EXPECT_TRUE(HasCheckpoint(11));  // The first writer to miss it writes one of its own version.
  EXPECT_EQ(12, Append("f12").version);
  Reopen();
  EXPECT_FALSE(HasCheckpoint(12));
}

TEST_F(CheckpointTest, TombstonesLiveAnHour) {
  Grow();
  const auto tombstones = [this](int64_t version) {
    const TableState state =
        ReadCheckpoint(&store_, {CheckpointPath(version)}, version).ValueOrDie();
    return state.tombstone_count();
  };
  EXPECT_EQ(6, tombstones(20));  // For versions 3, 6, ... 18.
  TableState state = ReadCheckpoint(&store_, {CheckpointPath(20)}, 20).ValueOrDie();
  state.DropExpiredTombstones(WallClockMillis() + 3600 * 1000 + 1000);
  EXPECT_EQ(0, state.tombstone_count());
}

TEST_F(CheckpointTest, V2CheckpointsAreRefusedByName) {
  Grow();
  for (int i = 0; i <= 20; ++i) Delete(LogEntryPath(kPath, i));
  Delete(CheckpointPath(10));
  Delete(CheckpointPath(20));
  PutText(LogFolder(kPath) + ZeroPadded(20, 20) +
              ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
          "{}");
  const Status status = Table::Open(&store_, kPath).status();
  EXPECT_TRUE(status.IsNotImplemented());
  EXPECT_THAT(status.message(), HasSubstr("V2"));
}

}  // namespace
}  // namespace shopstream::lake
