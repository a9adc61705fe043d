#include "lake/table.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "lake/disk_store.h"
#include "lake/parquet_file.h"
#include "lake/uuid.h"

namespace shopstream::lake {
namespace {
TEST(Smoke, Disk) {
  const std::string root = ::testing::TempDir() + NewUuid();
  auto store = OpenObjectStore(root).ValueOrDie();
  TableSpec spec;
  spec.path = "t";
  spec.schema = arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("amount", arrow::float64()), arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")), arrow::field("region", arrow::utf8())});
  spec.partition_columns = {"region"};
  auto table = Table::OpenOrCreate(store.get(), spec).ValueOrDie();
  auto rows = arrow::RecordBatch::Make(arrow::schema({spec.schema->field(0), spec.schema->field(1), spec.schema->field(2)}), 2,
    {arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a","b"])").ValueOrDie(),
     arrow::json::ArrayFromJSONString(arrow::float64(), "[1.5,2]").ValueOrDie(),
     arrow::json::ArrayFromJSONString(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1500000, 1500001]").ValueOrDie()});
  auto file = WriteDataFile(store.get(), "t", {{"region", "U S"}}, rows).ValueOrDie();
  std::cout << file.statistics << "\n" << root << "\n";
  Transaction t;
  t.adds = {file};
  t.txns["x"] = 5;
  auto r = table->Commit(t, [](const Snapshot&) { return true; }, BootClock::now() + std::chrono::seconds(10)).ValueOrDie();
  EXPECT_EQ(r.version, 1);
  for (int i = 0; i < 120; ++i) {
    Transaction u;
    u.txns["x"] = i;
    table->Commit(u, [](const Snapshot&) { return true; }, BootClock::now() + std::chrono::seconds(10)).ValueOrDie();
  }
  table.reset();
  table = Table::Open(store.get(), "t").ValueOrDie();
  EXPECT_EQ(table->snapshot()->version(), 121);
  auto read = ReadDataFile(store.get(), "t", table->snapshot()->Files()[0], table->snapshot()->schema()).ValueOrDie();
  std::cout << read->ToString();
}
}  // namespace
}  // namespace shopstream::lake
