#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/testing.h"
#include "ingest/cut_committer.h"
#include "ingest/intake.h"
#include "ingest/schema_cache.h"
#include "ingest/testing.h"
#include "registry/schema_source.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::ingest::testing {

inline constexpr char kTopic[] = "t";
inline constexpr char kTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

// A listed registry as a source of schemas; at first it has the one that the events are written in.
class TestRegistry : public registry::SchemaSource, public ListedRegistry {
 public:
  TestRegistry() { schemas = {{kSchemaId, kEventSchema}}; }
  registry::LookUp ById(int32_t id) override { return Answer(id); }
  Result<registry::RegisteredSchema> Latest(const std::string&) override {
    return registry::RegisteredSchema{
        .id = 1, .version = 1, .subject = "", .schema = schemas.at(1)};
  }
};

// A lake whose ingest quarantined some records, with a clock that only waits advance.
class QuarantineLakeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bronze_ = *lake::Table::OpenOrCreate(&store_, layout_->table);
    quarantine_ =
        *lake::Table::OpenOrCreate(&store_, tables::QuarantineSpec(tables::kQuarantinePath));
  }

  // The values at the next offsets of partition 0, ingested as one cut.
  void Ingest(const std::vector<std::string>& values) {
    SchemaCache schemas(layout_, [this](int32_t id) { return registry_.ById(id); });
    Intake intake(layout_, &schemas, nullptr);
    const int64_t begin = next_offset_;
    for (const std::string& value : values) {
      EXPECT_TRUE(intake.Take(records_.Make(0, next_offset_++, value), clock_.now).ok());
    }
    clock_.now += SchemaCache::kConfirmUnknownAfter;
    EXPECT_TRUE(intake.DecideParked(clock_.now).ok());
    Cut cut = *intake.Finish();
    cut.sealed_at = clock_.now;
    cut.topic = kTopic;
    cut.topic_id = kTopicId;
    const std::string app_id = tables::ProgressAppId(kTopicId, 0);
    cut.progress = {{.range = {0, begin, next_offset_},
                     .fence = bronze_->snapshot()->Txn(app_id),
                     .quarantine_fence = quarantine_->snapshot()->Txn(app_id)}};
    CutCommitter committer(bronze_.get(), quarantine_.get(), nullptr,
                           []() -> Result<std::string> { return kTopicId; }, {});
    EXPECT_EQ(CutOutcome::kCommitted, committer.Commit(cut, [] { return false; })->outcome);
  }

  int64_t Rows() {
    int64_t rows = 0;
    const auto table = *lake::Table::Open(store_.inner(), tables::kBronzePath);
    for (const DataFile& file : table->snapshot()->Files()) rows += file.rows;
    return rows;
  }

  shopstream::testing::StoppedClock clock_;
  TestRegistry registry_;
  Records records_;
  int64_t next_offset_ = 0;
  std::shared_ptr<const BronzeLayout> layout_ = EventLayout();
  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<lake::Table> bronze_, quarantine_;
};

}  // namespace shopstream::ingest::testing
