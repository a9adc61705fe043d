#include "tables/quarantine_causes.h"

#include <arrow/array/array_base.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/parquet/parquet_file.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::tables {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::shared_ptr<arrow::RecordBatch> Causes(const std::string& json) {
  const auto causes = arrow::json::ArrayFromJSONString(arrow::utf8(), json).ValueOrDie();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(kCause, arrow::utf8())}),
                                  causes->length(), {causes});
}

TEST(CountCauses, CountsTheRowsOfEachCause) {
  simulate::MemoryStore store;
  const auto rows = Causes(R"(["corrupt", "empty", "corrupt", null])");
  const auto file = lake::WriteDataFile(&store, "q", {}, rows).ValueOrDie();
  EXPECT_THAT(CountCauses(&store, "q", file, rows->schema()).ValueOrDie(),
              ElementsAre(Pair("", 1), Pair("corrupt", 2), Pair("empty", 1)));
}

TEST(CountCauses, NamesATableThatIsNoQuarantine) {
  simulate::MemoryStore store;
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  const auto counted = CountCauses(&store, "q", {}, schema);
  EXPECT_THAT(counted.status().message(), HasSubstr("table q has no column cause"));
}

}  // namespace
}  // namespace shopstream::tables
