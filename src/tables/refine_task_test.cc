#include "tables/refine_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/delta/table.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

using ::testing::HasSubstr;

class RefineTaskTest : public ::testing::Test {
 protected:
  std::shared_ptr<const lake::Snapshot> With(const std::map<std::string, std::string>& properties) {
    store_ = std::make_unique<simulate::MemoryStore>();
    lake::TableSpec spec = QuarantineSpec("rejects");
    spec.properties = properties;
    table_ = lake::Table::OpenOrCreate(store_.get(), spec).ValueOrDie();
    return table_->snapshot();
  }
  std::string Damage(const std::string& text) {
    return ReadRefineTask(*With({{"shopstream.refine.task", text}})).status().message();
  }

  std::unique_ptr<simulate::MemoryStore> store_;
  std::unique_ptr<lake::Table> table_;
};

TEST_F(RefineTaskTest, IsReadAsItWasWritten) {
  const RefineTask tasks[] = {
      {.pass = 7, .kind = TaskKind::kRestate, .dates = {std::nullopt, -3, 20385}, .at_ms = 5},
      {.pass = 8, .kind = TaskKind::kErase, .predicate = "email = 'a\"b'", .at_ms = 6},
      {.pass = 9, .kind = TaskKind::kRetain, .table = "bronze-events", .horizon = 20000},
      {.pass = 10,
       .kind = TaskKind::kArchive,
       .table = "bronze-events",
       .horizon = 20000,
       .archive_run = 3,
       .files_digest = "ab12"}};
  for (const RefineTask& task : tasks) {
    EXPECT_EQ(task, *ReadRefineTask(*With(RefineTaskProperty(task)))) << Name(task.kind);
  }
}

TEST_F(RefineTaskTest, IsForgotten) {
  EXPECT_EQ(std::nullopt, *ReadRefineTask(*With(RefineTaskProperty(std::nullopt))));
  EXPECT_EQ(std::nullopt, *ReadRefineTask(*With({})));
}

TEST_F(RefineTaskTest, ADamagedPropertyIsNamed) {
  EXPECT_THAT(Damage("{"), HasSubstr("property shopstream.refine.task is damaged"));
  EXPECT_THAT(Damage(R"({"pass": 7, "kind": "paint"})"),
              HasSubstr("a task that this version does not know: paint"));
}

TEST_F(RefineTaskTest, TheHorizonIsADate) {
  EXPECT_EQ(20385, *ReadHorizon(*With(HorizonProperty(20385))));
  EXPECT_EQ(std::nullopt, *ReadHorizon(*With({})));
  EXPECT_THAT(ReadHorizon(*With({{"shopstream.horizon", "soon"}})).status().message(),
              HasSubstr("property shopstream.horizon is no date: soon"));
}

}  // namespace
}  // namespace shopstream::tables
