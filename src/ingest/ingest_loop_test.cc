#include "ingest/ingest_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/pipeline.h"
#include "ingest/testing.h"
#include "simulate/kafka.h"
#include "simulate/registry.h"
#include "simulate/scheduler.h"
#include "simulate/store.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using testing::Event;
using ::testing::HasSubstr;
using testing::kOct24;

constexpr char kTopic[] = "t";
constexpr int32_t kNobodysId = 99;

// Ingests with the test's own clock, store, Kafka and registry. Time passes only in Run.
class IngestLoopTest : public ::testing::Test {
 protected:
  struct Ingest {
    int program = -1;
    bool stop = false;
    IngestStats stats;
    Status status;
  };

  IngestLoopTest() {
    for (const auto& [id, schema] : testing::SchemasById()) {
      if (id == testing::kSchemaId) registry_.Register(id, schema);
    }
  }
  ~IngestLoopTest() override {
    for (const auto& ingest : ingests_) ingest->stop = true;
    Run(Millis{700'000});
  }

  Ingest* Start(bool until_caught_up = false) {
    Ingest* const ingest = ingests_.emplace_back(std::make_unique<Ingest>()).get();
    ingest->program = scheduler_.StartProgram("ingest", [this, ingest, until_caught_up] {
      ingest->status = Main(ingest, until_caught_up);
    });
    return ingest;
  }

  Status Main(Ingest* ingest, bool until_caught_up) {
    const auto stop = [this, ingest] { return ingest->stop || scheduler_.dead(); };
    const auto store = store_.Open();
    ARROW_ASSIGN_OR_RAISE(const OpenLake lake,
                          OpenOrCreateLake(store.get(), &registry_, kTopic, {}, stop));
    const auto source = kafka_.OpenSource();
    const auto topics = kafka_.OpenMetadata();
    const IngestSettings settings{.topic = kTopic, .cut = cut_, .maintenance = std::nullopt};
    return IngestInto(lake,
                      {.records = source.get(), .topics = topics.get(), .registry = &registry_},
                      settings, until_caught_up, &ingest->stats, stop);
  }

  void Run(Millis time) {
    scheduler_.Run([] { return false; }, scheduler_.time() + time);
  }
  void Stop(Ingest* ingest) {
    ingest->stop = true;
    WaitFor(ingest);
  }
  void CatchUp() { WaitFor(Start(/*until_caught_up=*/true)); }
  void WaitFor(Ingest* ingest) {
    EXPECT_TRUE(scheduler_.Run([&] { return scheduler_.ended(ingest->program); },
                               scheduler_.time() + Millis{60'000}));
  }

  void Produce(int32_t partition, int64_t count, int32_t schema_id = testing::kSchemaId,
               bool in_transaction = false) {
    for (int64_t i = 0; i < count; ++i) {
      kafka_.Produce(partition, std::nullopt, Event(i, "US", kOct24, schema_id), kOct24,
                     in_transaction);
    }
  }

  int64_t Rows(const std::string& path = tables::kBronzePath) {
    const auto look = store_.OpenForChecks();
    const auto table = lake::Table::Open(look.get(), path);
    if (!table.ok()) return -1;
    int64_t rows = 0;
    for (const DataFile& file : (*table)->snapshot()->Files()) rows += file.rows;
    return rows;
  }
  std::optional<int64_t> Txn(int32_t partition) {
    const auto look = store_.OpenForChecks();
    const auto table = lake::Table::Open(look.get(), tables::kBronzePath);
    return (*table)->snapshot()->Txn(tables::ProgressAppId(kafka_.id(), partition));
  }

  std::string NewestEntry() {
    const auto look = store_.OpenForChecks();
    const auto entries = *look->List(std::string(tables::kBronzePath) + "/_delta_log/", "");
    return std::string(std::string_view(**look->Get(entries.back().path)));
  }

  simulate::Chance chance_{1};
  simulate::Trace trace_;
  simulate::Scheduler scheduler_{&chance_, &trace_};
  simulate::SimulatedStore store_{&scheduler_};
  simulate::SimulatedKafka kafka_{&scheduler_, kTopic, 2};
  simulate::SimulatedRegistry registry_{&scheduler_};
  CutLimits cut_{.batch_size = 10, .commit_interval = Millis{500}, .batch_timeout = Millis{5000}};
  std::vector<std::unique_ptr<Ingest>> ingests_;
};

TEST_F(IngestLoopTest, RowsStandWithTheirProgress) {
  Produce(0, 30);
  Produce(1, 12);
  Ingest* const ingest = Start();
  Run(Millis{8000});
  EXPECT_EQ(42, Rows());
  EXPECT_EQ(30, Txn(0));
  EXPECT_EQ(12, Txn(1));
  Stop(ingest);
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(42, ingest->stats.rows());
}

TEST_F(IngestLoopTest, AFewRowsAreCommittedAtTheirAge) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Run(Millis{4000});
  EXPECT_EQ(0, Rows());
  Run(Millis{2000});
  EXPECT_EQ(3, Rows());
  EXPECT_EQ(1, ingest->stats.commits());
}

TEST_F(IngestLoopTest, AStopCommitsWhatWasRead) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Run(Millis{1000});
  Stop(ingest);
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(3, Rows());
}

TEST_F(IngestLoopTest, OffsetsWithoutARecordMoveTheProgressAlone) {
  Produce(0, 5, testing::kSchemaId, /*in_transaction=*/true);
  Start();
  Run(Millis{8000});
  EXPECT_EQ(std::nullopt, Txn(0));  // Nobody reads past an open transaction.
  kafka_.EndTransaction(0, /*commit=*/false);
  Run(Millis{8000});
  EXPECT_EQ(0, Rows());
  EXPECT_EQ(6, Txn(0));
}

TEST_F(IngestLoopTest, ItEndsOnceEverythingThereIsInTheLake) {
  Produce(0, 3);
  Produce(1, 2);
  Ingest* const ingest = Start(/*until_caught_up=*/true);
  EXPECT_TRUE(scheduler_.Run([&] { return scheduler_.ended(ingest->program); },
                             scheduler_.time() + Millis{4000}));
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(5, Rows());
}

TEST_F(IngestLoopTest, ARegistryThatIsOutPausesReadingAndIsNoVerdict) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  registry_.out = true;
  Produce(0, 20);
  Run(Millis{30'000});
  EXPECT_EQ(0, Rows());
  EXPECT_EQ("registry", ingest->stats.paused_why());
  registry_.out = false;
  Run(Millis{10'000});
  EXPECT_EQ(20, Rows());
  EXPECT_EQ(0, ingest->stats.quarantined());
  EXPECT_EQ("", ingest->stats.paused_why());
}

TEST_F(IngestLoopTest, AnUnknownIdIsQuarantinedOnceTheRegistryHasDeniedItTwice) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 4, kNobodysId);
  Produce(0, 16);
  Run(Millis{1500});
  EXPECT_EQ(0, Rows());  // The cut stays open for those that wait.
  Run(Millis{8000});
  EXPECT_EQ(16, Rows());
  EXPECT_EQ(4, Rows(tables::kQuarantinePath));
  EXPECT_EQ(20, Txn(0));
  EXPECT_THAT(ingest->stats.quarantined_by_cause(),
              ElementsAre(::testing::Pair("unknown_schema", 4)));
}

TEST_F(IngestLoopTest, APartitionIsGivenUpOnceItsRowsAreCommitted) {
  Ingest* const first = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Produce(1, 3);
  Run(Millis{500});
  Ingest* const second = Start();
  Run(Millis{3000});
  // Long before their age: the revocation cut them.
  EXPECT_EQ(6, Rows());
  const std::vector<int> owners = kafka_.Owners();
  EXPECT_THAT(owners, ::testing::UnorderedElementsAre(first->program, second->program));
  EXPECT_EQ(0, first->stats.fences() + second->stats.fences());
  Produce(0, 10);
  Produce(1, 10);
  Run(Millis{8000});
  EXPECT_EQ(26, Rows());
  EXPECT_EQ(13, Txn(0));
  EXPECT_EQ(13, Txn(1));
}

TEST_F(IngestLoopTest, LostPartitionsAreReadAgainFromTheLake) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Run(Millis{500});
  kafka_.LoseMember(ingest->program);
  Run(Millis{20'000});
  EXPECT_EQ(3, Rows());
  EXPECT_EQ(3, Txn(0));
}

TEST_F(IngestLoopTest, WhoSleptPastItsSessionCommitsNothingTwice) {
  Ingest* const first = Start();
  Run(Millis{3000});
  Produce(0, 8);
  Produce(1, 8);
  Run(Millis{300});
  scheduler_.Suspend(first->program, Millis{40'000});
  Start();
  Run(Millis{30'000});
  EXPECT_EQ(16, Rows());  // By the second.
  Run(Millis{30'000});
  EXPECT_EQ(16, Rows());
  Produce(0, 5);
  Produce(1, 5);
  Run(Millis{20'000});
  EXPECT_EQ(26, Rows());
}

TEST_F(IngestLoopTest, ExpiredOffsetsAreReportedAndReadingContinues) {
  Produce(0, 10);
  CatchUp();
  Produce(0, 20);
  kafka_.Expire(0, 25);
  Start();
  Run(Millis{10'000});
  EXPECT_EQ(15, Rows());
  EXPECT_EQ(30, Txn(0));
  const std::string newest = NewestEntry();
  EXPECT_THAT(newest, HasSubstr("expiredBeforeIngest"));
  EXPECT_THAT(newest, HasSubstr(R"("begin":10,"end":25)"));
}

TEST_F(IngestLoopTest, APartitionBehindTheLakeIsNotRead) {
  Produce(0, 10);
  Produce(1, 10);
  CatchUp();
  kafka_.Truncate(0, 4);
  Produce(0, 2);
  Produce(1, 5);
  Start();
  Run(Millis{20'000});
  EXPECT_EQ(25, Rows());
  EXPECT_EQ(10, Txn(0));
  EXPECT_EQ(15, Txn(1));
}

TEST_F(IngestLoopTest, ATopicCreatedAnewIsReadFromItsBeginning) {
  Ingest* const ingest = Start();
  Produce(0, 10);
  Run(Millis{8000});
  Produce(0, 3);  // Read, but never committed.
  Run(Millis{500});
  kafka_.DeleteTopic();
  Run(Millis{2000});
  kafka_.CreateTopic(2);
  Produce(0, 6);
  Run(Millis{30'000});
  EXPECT_EQ(16, Rows());
  EXPECT_EQ(6, Txn(0));
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
}

TEST_F(IngestLoopTest, AStoreThatIsOutPausesReadingAndLosesNothing) {
  cut_.filling_bytes = 1000;
  Ingest* const ingest = Start();
  Run(Millis{3000});
  store_.faults.fails_before = 1;
  for (int burst = 0; burst < 60; ++burst) {
    Produce(burst % 2, 10);
    Run(Millis{1000});
  }
  EXPECT_EQ(0, Rows());
  EXPECT_EQ("storage", ingest->stats.paused_why());
  store_.faults = {};
  Run(Millis{60'000});
  EXPECT_EQ(600, Rows());
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
}

TEST_F(IngestLoopTest, AfterTenMinutesWithoutAStoreItSaysAtWhichStep) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 10);
  store_.faults.fails_before = 1;
  Run(Millis{660'000});
  EXPECT_THAT(ingest->status.message(), HasSubstr("Gave up trying to write data files"));
}

}  // namespace
}  // namespace shopstream::ingest
