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

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "generate/uuid.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kNoon = 1'761'307'200'000;  // 2025-10-24T12:00:00Z

constexpr const char* kEvent = R"(
joins:
  items: {file: items.csv, key: number, on: item}
event:
  event_id: {uuid5: "{basket}/{item}", namespace: 6ba7b811-9dad-11d1-80b4-00c04fd430c8}
  user_id: {column: customer}
  region: {column: shop, modulo: 3, values: {0: US, 1: EU, 2: ASIA}}
  product_id: {column: item}
  product_name: {text: ["{items.name} {items.size}", "{items.name}", "Item {item}"], case: title}
  quantity: {column: pieces}
  amount: {column: paid}
  currency: {field: region, values: {US: USD, EU: EUR, ASIA: JPY}}
  timestamp: {column: bought_at}
)";

constexpr const char* kItems = "number,name,size\n1,GREEN TEA,40 CT\n2,SALT/PEPPER,\n3,,\n";

constexpr const char* kHeader = "basket,item,customer,shop,pieces,paid,bought_at\n";
constexpr const char* kSales =
    "7,1,100,3,1,2.5,2025-10-24T12:00:00\n"
    "7,2,100,4,0,-1.25,2025-10-24 12:00:00\n"
    "8,3,101,5,89638,0,2025-10-24T12:00:05Z\n"
    "9,4,102,-1,2,10,2025-10-24T14:00:06+02:00\n";

// Files in a separate folder, and the events read from them.
class RecordedSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "recorded.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Write("items.csv", kItems);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }
  void WriteSales(const std::string& lines) const { Write("sales.csv", kHeader + lines); }

  Result<std::unique_ptr<EventSource>> Open(const RecordedOptions& options = {},
                                            const std::string& event = kEvent,
                                            const std::string& file = "sales.csv") {
    ARROW_ASSIGN_OR_RAISE(const SourceMapping mapping,
                          ParseSourceMapping("file: " + file + event, Path("sales.yaml")));
    return OpenRecordedSource(mapping, options, [this] { return now_; });
  }

  // Every row as text, column by column.
  static void AppendRows(const arrow::RecordBatch& batch, std::vector<std::string>* rows) {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      std::string text;
      for (const auto& column : batch.columns()) {
        text += (text.empty() ? "" : "|") + column->GetScalar(row).ValueOrDie()->ToString();
      }
      rows->push_back(text);
    }
  }

  Result<std::vector<std::string>> ReadAll(EventSource* source, int64_t max_rows = 1000) {
    std::vector<std::string> rows;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const EventBatch batch, source->Next(max_rows));
      if (batch.rows == nullptr) return rows;
      EXPECT_TRUE(batch.rows->schema()->Equals(*PurchaseEventSchema()));
      EXPECT_TRUE(batch.rows->ValidateFull().ok());
      AppendRows(*batch.rows, &rows);
    }
  }

  Result<std::vector<std::string>> ReadAll() {
    ARROW_ASSIGN_OR_RAISE(auto source, Open());
    return ReadAll(source.get());
  }

  std::string ErrorOf(const std::string& event = kEvent) {
    auto source = Open({}, event);
    const Status status = source.ok() ? ReadAll(source->get()).status() : source.status();
    EXPECT_TRUE(status.IsInvalid() || status.IsIOError()) << status;
    return status.message();
  }

  std::string folder_;
  int64_t now_ = 0;
};

std::string IdOf(const std::string& name) {
  return ToString(MakeUuidV5({0x6ba7b8119dad11d1, 0x80b400c04fd430c8}, name));
}

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

TEST_F(RecordedSourceTest, ReadsParquet) {
  const auto schema =
      arrow::schema({arrow::field("basket", arrow::int64()), arrow::field("item", arrow::int32()),
                     arrow::field("customer", arrow::int64()), arrow::field("shop", arrow::int64()),
                     arrow::field("pieces", arrow::int64()), arrow::field("paid", arrow::float64()),
                     arrow::field("bought_at", arrow::timestamp(arrow::TimeUnit::NANO))});
  const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), R"([
    {"basket": 7, "item": 2, "customer": 100, "shop": 4, "pieces": 1, "paid": 2.5,
     "bought_at": "2025-10-24 12:00:00.123456789"}])");
  ASSERT_TRUE(rows.ok()) << rows.status();
  const auto table =
      arrow::Table::FromRecordBatches({*arrow::RecordBatch::FromStructArray(*rows)}).ValueOrDie();
  auto file = arrow::io::FileOutputStream::Open(Path("sales.parquet")).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file).ok());
  ASSERT_TRUE(file->Close().ok());
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
  EXPECT_THAT(ErrorOf(), AllOf(HasSubstr("sales.csv, rows 1 to 1: column customer as user_id"),
                               HasSubstr("many")));
  WriteSales("7,1,1,3,1,2.5,yesterday\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("'yesterday' is not a time"));
  WriteSales("7,1,1,3,1,2.5,\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("a time is missing"));
  WriteSales("7,1,1,3,1,2.5,2025-10-24\n7,2,1,3,1,,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("sales.csv, row 2: there is no value for amount"));
  WriteSales("7,1,1,north,1,2.5,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("row 1: column shop: 'north' is not a whole number"));
  WriteSales("7,1,1,3,3000000000,2.5,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("column pieces as quantity"));
  WriteSales(",1,1,3,1,2.5,2025-10-24\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("a value is missing for every text"));
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
  EXPECT_THAT(Open({}, kEvent, "sales.xlsx").status().message(), HasSubstr(".parquet nor in .csv"));
  Write("sales.parquet", "not parquet at all");
  EXPECT_THAT(Open({}, kEvent, "sales.parquet").status().message(), HasSubstr("as a Parquet file"));
}

}  // namespace
}  // namespace shopstream::generate
