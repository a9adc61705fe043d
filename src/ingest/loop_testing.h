#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
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
#include "tables/partition_state.h"

namespace shopstream::ingest::testing {

inline constexpr char kTopic[] = "t";

// Ingests with the test's own clock, store, Kafka and registry. Time passes only in Run.
class LoopTest : public ::testing::Test {
 protected:
  struct Ingest {
    int program = -1;
    bool stop = false;
    IngestStats stats;
    Status status;
    IngestEnd end;
  };

  LoopTest() {
    for (const auto& [id, schema] : SchemasById()) {
      if (id == kSchemaId) registry_.Register(id, schema);
    }
  }
  ~LoopTest() override {
    for (const auto& ingest : ingests_) ingest->stop = true;
    Run(Millis{700'000});
  }

  Ingest* Start(bool until_caught_up = false) {
    Ingest* const ingest = ingests_.emplace_back(std::make_unique<Ingest>()).get();
    ingest->program = scheduler_.StartProgram("ingest", [this, ingest, until_caught_up] {
      Result<IngestEnd> end = Main(ingest, until_caught_up);
      ingest->status = end.status();
      if (end.ok()) ingest->end = *end;
    });
    return ingest;
  }

  Result<IngestEnd> Main(Ingest* ingest, bool until_caught_up) {
    const auto stop = [this, ingest] { return ingest->stop || scheduler_.dead(); };
    const auto store = store_.Open();
    ARROW_ASSIGN_OR_RAISE(const OpenLake lake,
                          OpenOrCreateLake(store.get(), &registry_, kTopic, layout_, stop));
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
  Ingest* CatchUp() {
    Ingest* const ingest = Start(/*until_caught_up=*/true);
    WaitFor(ingest);
    return ingest;
  }
  void WaitFor(Ingest* ingest) {
    EXPECT_TRUE(scheduler_.Run([&] { return scheduler_.ended(ingest->program); },
                               scheduler_.time() + Millis{120'000}));
  }

  void Produce(int32_t partition, int64_t count, int32_t schema_id = kSchemaId,
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
  tables::PartitionState State(int32_t partition) {
    const auto look = store_.OpenForChecks();
    const auto table = lake::Table::Open(look.get(), tables::kBronzePath);
    return tables::ReadPartitionState((*table)->snapshot()->Txns(), kafka_.id(), partition);
  }
  std::optional<int64_t> Txn(int32_t partition) { return State(partition).next; }

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
  LayoutOptions layout_;
  CutLimits cut_{.batch_size = 10, .commit_interval = Millis{500}, .batch_timeout = Millis{5000}};
  std::vector<std::unique_ptr<Ingest>> ingests_;
};

}  // namespace shopstream::ingest::testing
