#include "sql/csv.h"

#include <gtest/gtest.h>

#include "sql/testing.h"

namespace shopstream::sql {
namespace {

TEST(CsvTest, NullIsNothingAndSpecialTextsAreQuoted) {
  const auto rows =
      testing::Rows({{"a,b", arrow::utf8(), R"(["x", null, "", "say \"no\"", "1\n2"])"},
                     {"n", arrow::int64(), "[1, 2, 3, null, 5]"}});
  EXPECT_EQ("\"a,b\",n\n", CsvHeader(*rows->schema()));
  EXPECT_EQ("x,1\n,2\n\"\",3\n\"say \"\"no\"\"\",\n\"1\n2\",5\n", CsvLines(*rows));
}

}  // namespace
}  // namespace shopstream::sql
