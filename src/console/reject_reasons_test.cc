#include "console/reject_reasons.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "lake/parquet/parquet_file.h"
#include "refine/columns.h"
#include "simulate/memory_store.h"

namespace shopstream::console {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class RejectReasonsTest : public ::testing::Test {
 protected:
  DataFile Write(const std::vector<std::string>& reasons) {
    arrow::StringBuilder column;
    for (const std::string& text : reasons) {
      EXPECT_TRUE(text.empty() ? column.AppendNull().ok() : column.Append(text).ok());
    }
    const auto rows =
        arrow::RecordBatch::Make(schema_, std::ssize(reasons), {column.Finish().ValueOrDie()});
    return lake::WriteDataFile(&store_, "rejects", {}, rows).ValueOrDie();
  }

  simulate::MemoryStore store_;
  std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field(refine::kReasons, arrow::utf8())});
};

TEST_F(RejectReasonsTest, CountsRowsByTheirReasonsAndByEachRule) {
  const DataFile file = Write({"duplicate", "a,b", "a", "duplicate", "", "a,b"});
  const auto counts = *CountReasons(&store_, "rejects", file, schema_);
  EXPECT_THAT(counts, ElementsAre(Pair("", 1), Pair("a", 1), Pair("a,b", 2), Pair("duplicate", 2)));
  EXPECT_THAT(BySingleReason(counts),
              ElementsAre(Pair("a", 3), Pair("b", 2), Pair("duplicate", 2)));
}

TEST_F(RejectReasonsTest, AnotherTableIsAnError) {
  const auto other = arrow::schema({arrow::field("n", arrow::int64())});
  const auto counts = CountReasons(&store_, "rejects", Write({"a"}), other);
  EXPECT_THAT(counts.status().message(), HasSubstr("no column reasons"));
}

}  // namespace
}  // namespace shopstream::console
