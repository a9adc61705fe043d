#include "generate/recorded_source.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <string>
#include <vector>

#include "generate/source_testing.h"

namespace shopstream::generate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(RecordedSourceTest, MapsEveryField) {
  WriteSales(kSales);
  const auto rows = ReadAll();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(
      *rows,
      ElementsAre(IdOf("7/1") + "|100|US|1|Green Tea 40 CT|1|2.5|USD|2025-10-24 12:00:00.000Z",
                  IdOf("7/2") + "|100|EU|2|Salt/Pepper|0|-1.25|EUR|2025-10-24 12:00:00.000Z",
                  IdOf("8/3") + "|101|ASIA|3|Item 3|89638|0|JPY|2025-10-24 12:00:05.000Z",
                  IdOf("9/4") + "|102|ASIA|4|Item 4|2|10|JPY|2025-10-24 12:00:06.000Z"));
}

TEST_F(RecordedSourceTest, BatchesOfAnySizeHoldTheSameEvents) {
  WriteSales(kSales);
  auto one = Open(), other = Open();
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(*ReadAll(one->get(), 1), *ReadAll(other->get(), 3));
}

// One Parquet file, as if pandas had written it.
void WriteParquet(const std::string& path, const arrow::FieldVector& fields,
                  const std::string& json) {
  const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(fields), json);
  ASSERT_TRUE(rows.ok()) << rows.status();
  const auto table =
      arrow::Table::FromRecordBatches({*arrow::RecordBatch::FromStructArray(*rows)}).ValueOrDie();
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file).ok());
  ASSERT_TRUE(file->Close().ok());
}

TEST_F(RecordedSourceTest, NanIsAMissingValueAndInfinityIsRefused) {
  const arrow::FieldVector fields = {
      arrow::field("basket", arrow::int64()),   arrow::field("item", arrow::int64()),
      arrow::field("customer", arrow::int64()), arrow::field("shop", arrow::int64()),
      arrow::field("pieces", arrow::float64()), arrow::field("paid", arrow::float32()),
      arrow::field("bought_at", arrow::int64())};
  const std::string row = R"({"basket": 7, "item": 2, "customer": 1, "shop": 4, "bought_at": 0, )";
  std::string skipping = kEvent;
  const auto replace = [&](const std::string& what, const std::string& by) {
    skipping.replace(skipping.find(what), what.size(), by);
  };
  replace("{column: bought_at}", "{column: bought_at, epoch: s}");
  replace("{column: pieces}", "{column: pieces, default: 9}");
  const auto read = [&](const std::string& paid) -> Result<std::vector<std::string>> {
    WriteParquet(Path("sales.parquet"), fields,
                 "[" + row + R"("pieces": NaN, "paid": 2.5}, )" + row + R"("pieces": 1, "paid": )" +
                     paid + "}]");
    ARROW_ASSIGN_OR_RAISE(auto source, Open({}, skipping, "sales.parquet"));
    return ReadAll(source.get());
  };
  EXPECT_THAT(read("NaN").status().message(),
              HasSubstr("row 2, column paid: there is no value for amount"));
  EXPECT_THAT(read("Inf").status().message(),
              HasSubstr("row 2, column paid: 'inf' is not a finite number"));
  replace("{column: paid}", "{column: paid, missing: skip}");
  EXPECT_THAT(*read("NaN"), ElementsAre(HasSubstr("|9|2.5|EUR|1970-01-01")));
  skipping = kEvent;
  replace("{column: paid}", "{product: [paid, pieces], missing: skip}");
  replace("{column: pieces}", "{value: 1}");
  replace("{column: bought_at}", "{column: bought_at, epoch: s}");
  EXPECT_THAT(*read("3"), ElementsAre(HasSubstr("|1|3|EUR|")));
}

TEST_F(RecordedSourceTest, AColumnOfTheWrongTypeIsNamedIfNoRowIsLeft) {
  WriteParquet(Path("sales.parquet"),
               {arrow::field("basket", arrow::int64()), arrow::field("item", arrow::int64()),
                arrow::field("customer", arrow::int64()), arrow::field("shop", arrow::int64()),
                arrow::field("pieces", arrow::int64()), arrow::field("paid", arrow::float64()),
                arrow::field("bought_at", arrow::int64())},
               R"([{"basket": 7, "item": 2, "customer": 1, "shop": 4, "pieces": 1, "paid": 2,
                    "bought_at": 0}])");
  const std::string none = "\nwhere: [{column: basket, is: [8]}]" + std::string(kEvent);
  auto source = Open({}, none, "sales.parquet");
  const Status status = source.ok() ? ReadAll(source->get()).status() : source.status();
  EXPECT_THAT(status.message(),
              HasSubstr("sales.parquet, column bought_at is of type int64: for a number, set "
                        "'epoch'"));
}

TEST_F(RecordedSourceTest, ReadsParquet) {
  const arrow::FieldVector fields = {
      arrow::field("basket", arrow::int64()),
      arrow::field("item", arrow::int32()),
      arrow::field("customer", arrow::int64()),
      arrow::field("shop", arrow::int64()),
      arrow::field("pieces", arrow::int64()),
      arrow::field("paid", arrow::float64()),
      arrow::field("bought_at", arrow::timestamp(arrow::TimeUnit::NANO))};
  WriteParquet(Path("sales.parquet"), fields, R"([
    {"basket": 7, "item": 2, "customer": 100, "shop": 4, "pieces": 1, "paid": 2.5,
     "bought_at": "2025-10-24 12:00:00.123456789"}])");
  auto source = Open({}, kEvent, "sales.parquet");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_THAT(
      *ReadAll(source->get()),
      ElementsAre(IdOf("7/2") + "|100|EU|2|Salt/Pepper|1|2.5|EUR|2025-10-24 12:00:00.123Z"));
}

// "basket" distinguishes the rows.
std::string Sale(int basket, const std::string& time) {
  return std::to_string(basket) + ",1,1,1,1,1," + time + "\n";
}

TEST_F(RecordedSourceTest, SortsByTimeAndKeepsTheOrderOfEqualOnes) {
  WriteSales(Sale(1, "2025-10-24T12:00:09") + Sale(2, "2025-10-24T12:00:03") +
             Sale(3, "2025-10-24T12:00:09") + Sale(4, "2025-10-24T12:00:01"));
  std::vector<std::string> ids;
  const auto rows = ReadAll();
  ASSERT_TRUE(rows.ok()) << rows.status();
  for (const std::string& row : *rows) ids.push_back(row.substr(0, row.find('|')));
  EXPECT_THAT(ids, ElementsAre(IdOf("4/1"), IdOf("2/1"), IdOf("1/1"), IdOf("3/1")));
}

TEST_F(RecordedSourceTest, SortsManyBatches) {
  std::string lines;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const int second = (i * 7919) % kCount;
    char time[32];
    std::snprintf(time, sizeof time, "2025-10-%02dT%02d:%02d:%02d", 1 + second / 86400,
                  second / 3600 % 24, second / 60 % 60, second % 60);
    lines += Sale(i, time);
  }
  WriteSales(lines);
  auto source = Open();
  ASSERT_TRUE(source.ok()) << source.status();
  int64_t last = 0, rows = 0;
  while (true) {
    const auto batch = (*source)->Next(5000);
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (batch->rows == nullptr) break;
    const auto& times =
        static_cast<const arrow::TimestampArray&>(*batch->rows->GetColumnByName("timestamp"));
    for (int64_t row = 0; row < times.length(); ++row, ++rows) {
      ASSERT_GT(times.Value(row), last);
      last = times.Value(row);
    }
  }
  EXPECT_EQ(rows, kCount);
}

TEST_F(RecordedSourceTest, RefusesToSortBeyondItsMemory) {
  WriteSales(Sale(1, "2025-10-24T12:00:09") + Sale(2, "2025-10-24T12:00:03"));
  const auto source = Open({.speed = 0, .sort = {.memory_limit_bytes = 10}});
  EXPECT_THAT(source.status().message(), HasSubstr("sort the file by its time first"));
}

TEST_F(RecordedSourceTest, SpeedMakesEventsDueInTheirTime) {
  WriteSales(kSales);  // At 0, 0, 5 and 6 seconds.
  now_ = 50'000;
  auto source = Open({.speed = 10, .sort = {}});
  ASSERT_TRUE(source.ok()) << source.status();
  const auto due = [&](int64_t after_millis) {
    now_ = 50'000 + after_millis;
    return (*source)->Next(100)->rows->num_rows();
  };
  EXPECT_EQ(due(0), 2);
  EXPECT_EQ(due(499), 0);
  EXPECT_EQ(due(500), 1);
  EXPECT_EQ(due(600), 1);
  EXPECT_EQ((*source)->Next(100)->rows, nullptr);
}

TEST_F(RecordedSourceTest, ColumnsThatAreNotThereNameTheNearest) {
  Write("sales.csv", "basket,item,custmer,shop,pieces,paid,bought_at\n");
  EXPECT_THAT(ErrorOf(), AllOf(HasSubstr("sales.csv has no column 'customer'"),
                               HasSubstr("did you mean 'custmer'?"), HasSubstr("bought_at")));
  WriteSales(kSales);
  Write("items.csv", "number,title,size\n1,a,b\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("items.csv has no column 'name'"));
}

TEST_F(RecordedSourceTest, ValuesThatDoNotFitNameTheRows) {
  WriteSales("7,1,many,3,1,2.5,2025-10-24T12:00:00\n");
  EXPECT_THAT(ErrorOf(),
              HasSubstr("sales.csv, row 1, column customer: 'many' is not a whole number"));
  WriteSales("7,1,1,3,1,2.5,yesterday\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("row 1, column bought_at: 'yesterday' is not a time"));
  WriteSales("7,1,1,3,1,2.5,\n");
  EXPECT_THAT(ErrorOf(),
              HasSubstr("sales.csv, row 1, column bought_at: there is no value for timestamp"));
  WriteSales("7,1,1,3,1,2.5,2025-10-24\n7,2,1,3,1,,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("sales.csv, row 2, column paid: there is no value for amount"));
  WriteSales("7,1,1,north,1,2.5,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("row 1, column shop: 'north' is not a whole number"));
  WriteSales("7,1,1,3,3000000000,2.5,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("column pieces: '3000000000' does not fit"));
  WriteSales(",1,1,3,1,2.5,2025-10-24\n");
  EXPECT_THAT(ErrorOf(),
              HasSubstr("sales.csv, row 1, column basket: there is no value for event_id"));
}

TEST_F(RecordedSourceTest, ALookUpWithoutAMatchNamesTheValue) {
  WriteSales(kSales);
  std::string event = kEvent;
  const std::string from = "modulo: 3, values: {0: US, 1: EU, 2: ASIA}";
  event.replace(event.find(from), from.size(), "values: {3: US, 4: EU, 5: ASIA}");
  EXPECT_THAT(ErrorOf(event), AllOf(HasSubstr("row 4"), HasSubstr("'-1' is not among")));
}

TEST_F(RecordedSourceTest, AJoinNeedsAUniqueKey) {
  WriteSales(kSales);
  Write("items.csv", "number,name,size\n1,a,\n1,b,\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("number 1 occurs in more than one row"));
}

TEST_F(RecordedSourceTest, FilesThatCannotBeReadAreNamed) {
  EXPECT_THAT(ErrorOf(), AllOf(HasSubstr("sales.csv"), HasSubstr("./run setup")));
  EXPECT_THAT(Open({}, kEvent, "sales.xlsx").status().message(),
              HasSubstr("none of .parquet, .csv"));
  Write("sales.parquet", "not parquet at all");
  EXPECT_THAT(Open({}, kEvent, "sales.parquet").status().message(), HasSubstr("as a Parquet file"));
}

}  // namespace
}  // namespace shopstream::generate
