// Data files as other engines write them are read, merged and checked without changing a value.

#include <arrow/array.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/column_writer.h>
#include <parquet/file_reader.h>
#include <parquet/file_writer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/json.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/table.h"
#include "lake/parquet/file_statistics.h"
#include "lake/parquet/parquet_file.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/repair.h"
#include "lake/upkeep/verify_file.h"
#include "model/calendar.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::MemoryStore;

constexpr char kPath[] = "t";
constexpr int64_t kJulianDayOf1970 = 2440588;

std::shared_ptr<arrow::DataType> Time() { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }

std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& values) {
  return arrow::json::ArrayFromJSONString(type, values).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> Batch(
    const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, values] : columns) {
    fields.push_back(arrow::field(name, values->type()));
    arrays.push_back(values);
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
}

// A time of day as Spark stores it.
parquet::Int96 Int96At(int64_t micros) {
  const int64_t day = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0);
  parquet::Int96 value;
  parquet::Int96SetNanoSeconds(value, (micros - day * kMicrosPerDay) * 1000);
  value.value[2] = static_cast<uint32_t>(day + kJulianDayOf1970);
  return value;
}

int64_t Micros(int year, unsigned month, unsigned day, int64_t of_day) {
  using std::chrono::sys_days;
  const sys_days date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return date.time_since_epoch().count() * kMicrosPerDay + of_day;
}

class ForeignFileTest : public ::testing::Test {
 protected:
  void Create(const arrow::FieldVector& fields) {
    TableSpec spec;
    spec.path = kPath;
    spec.schema = arrow::schema(fields);
    table_ = Table::OpenOrCreate(&store_, spec).ValueOrDie();
  }
  void Commit(DataFile file) {
    Changes changes;
    changes.adds = {std::move(file)};
    changes.written_since = BootClock::now();
    const auto result = table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000});
    ASSERT_EQ(CommitOutcome::kCommitted, result.ValueOrDie().outcome);
  }
  // A file with exactly these bytes and, since Spark omits them for INT96, without statistics.
  void CommitBytes(const arrow::Buffer& content, int64_t rows) {
    DataFile file;
    file.path = "foreign-" + std::to_string(table_->snapshot()->version()) + ".parquet";
    ASSERT_TRUE(store_.Put(std::string(kPath) + "/" + file.path, content).ok());
    file.size_bytes = content.size();
    file.rows = rows;
    file.statistics = R"({"numRecords":)" + std::to_string(rows) + "}";
    Commit(file);
  }
  void CommitInt96(const std::vector<int64_t>& micros,
                   const std::shared_ptr<const arrow::KeyValueMetadata>& footer = nullptr) {
    using parquet::schema::GroupNode;
    using parquet::schema::PrimitiveNode;
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    const auto schema = std::static_pointer_cast<GroupNode>(GroupNode::Make(
        "spark_schema", parquet::Repetition::REQUIRED,
        {PrimitiveNode::Make("at", parquet::Repetition::REQUIRED, parquet::Type::INT96)}));
    const auto writer = parquet::ParquetFileWriter::Open(
        sink, schema, parquet::default_writer_properties(), footer);
    auto* column = static_cast<parquet::Int96Writer*>(writer->AppendRowGroup()->NextColumn());
    for (const int64_t value : micros) {
      const parquet::Int96 int96 = Int96At(value);
      column->WriteBatch(1, nullptr, nullptr, &int96);
    }
    writer->Close();
    CommitBytes(*sink->Finish().ValueOrDie(), static_cast<int64_t>(micros.size()));
  }
  void CommitRows(const std::shared_ptr<arrow::RecordBatch>& rows,
                  const std::shared_ptr<const arrow::KeyValueMetadata>& footer = nullptr) {
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    const auto writer =
        parquet::arrow::FileWriter::Open(*rows->schema(), arrow::default_memory_pool(), sink)
            .ValueOrDie();
    if (footer != nullptr) {
      ASSERT_TRUE(writer->AddKeyValueMetadata(footer).ok());
    }
    ASSERT_TRUE(writer->WriteRecordBatch(*rows).ok());
    ASSERT_TRUE(writer->Close().ok());
    CommitBytes(*sink->Finish().ValueOrDie(), rows->num_rows());
  }
  // All rows of one column, file after file in the order of the commits.
  std::string Values(const std::string& column) {
    std::string out;
    const auto snapshot = Table::Open(&store_, kPath).ValueOrDie()->snapshot();
    for (const DataFile& file : snapshot->Files()) {
      const auto rows = ReadDataFile(&store_, kPath, file, snapshot->schema(), {column});
      EXPECT_TRUE(rows.ok()) << rows.status();
      if (!rows.ok()) continue;
      EXPECT_TRUE((*rows)->ValidateFull().ok());
      for (int64_t i = 0; i < (*rows)->num_rows(); ++i) {
        out += (*(*rows)->column(0)->GetScalar(i))->ToString() + "|";
      }
    }
    return out;
  }
  DataFile Merged() {
    CompactionOptions options;
    options.plan.growth = 1;  // However different the files are.
    EXPECT_EQ(1, Compact(table_.get(), options).ValueOrDie().files_added);
    return table_->snapshot()->Files().at(0);
  }
  std::vector<std::string> Reasons(const DataFile& file) {
    return CheckFileContent(&store_, kPath, file, *table_->snapshot()->schema(), /*deep=*/true)
        .ValueOrDie()
        .reasons;
  }

  MemoryStore store_;
  std::unique_ptr<Table> table_;
};

TEST_F(ForeignFileTest, Int96TimestampsAreExactFromYear1To9999) {
  Create({arrow::field("at", Time())});
  const std::vector<int64_t> early = {Micros(1, 1, 1, 0), Micros(1500, 1, 1, 1),
                                      Micros(1677, 9, 21, 0)};
  const std::vector<int64_t> late = {-1, Micros(2262, 4, 12, 5),
                                     Micros(9999, 12, 31, kMicrosPerDay - 1)};
  CommitInt96(early);
  CommitInt96(late);
  std::string expected;
  for (const auto& part : {early, late}) {
    for (const int64_t micros : part) {
      expected += arrow::TimestampScalar(micros, Time()).ToString() + "|";
    }
  }
  EXPECT_EQ(expected, Values("at"));
  for (const DataFile& file : table_->snapshot()->Files()) {
    EXPECT_TRUE(Reasons(file).empty());
    DataFile told = file;  // Describes its true values, not those of a wrapped reading.
    told.statistics =
        ComputeStatistics(&store_, kPath, file, *table_->snapshot()->schema()).ValueOrDie();
    EXPECT_TRUE(Reasons(told).empty());
  }
  const DataFile merged = Merged();
  EXPECT_EQ(expected, Values("at"));
  EXPECT_NE(std::string::npos, merged.statistics.find("\"0001-01-01T00:00:00"))
      << merged.statistics;
  EXPECT_NE(std::string::npos, merged.statistics.find("\"9999-12-31T23:59:59"))
      << merged.statistics;
  EXPECT_TRUE(Reasons(merged).empty());
}

using Footer = std::array<std::string, 2>;  // Spark's version, and a key without a value.

class JulianCalendarTest : public ForeignFileTest, public ::testing::WithParamInterface<Footer> {};

TEST_P(JulianCalendarTest, DatesThatSparkStoredInItAreNotMergedWithOurs) {
  constexpr char kVersion[] = "org.apache.spark.version";
  Create({arrow::field("at", Time())});
  CommitInt96({Micros(1500, 1, 1, 0)},
              arrow::key_value_metadata({kVersion, GetParam()[1]}, {GetParam()[0], ""}));
  const DataFile julian = table_->snapshot()->Files().at(0);
  CommitInt96({Micros(2000, 1, 1, 0)}, arrow::key_value_metadata({kVersion}, {"4.0.1"}));
  CommitInt96({Micros(2001, 1, 1, 0)});
  CompactionOptions options;
  options.plan.growth = 1;
  const Status status = Compact(table_.get(), options).status();
  EXPECT_NE(std::string::npos, status.message().find("Julian calendar")) << status;
  EXPECT_NE(std::string::npos, status.message().find(julian.path)) << status;
  const auto left = table_->snapshot()->Files();
  ASSERT_EQ(2u, left.size());
  EXPECT_TRUE(std::ranges::any_of(left, [&](const auto& f) { return f.path == julian.path; }));
}

// Repair reads floating-point columns, regardless of how the file stores its dates.
TEST_P(JulianCalendarTest, ColumnsWithoutTimesAreReadAllTheSame) {
  Create({arrow::field("at", Time()), arrow::field("x", arrow::float64())});
  CommitRows(
      Batch({{"at", Column(Time(), "[0]")}, {"x", Column(arrow::float64(), "[1]")}}),
      arrow::key_value_metadata({"org.apache.spark.version", GetParam()[1]}, {GetParam()[0], ""}));
  const auto repaired = Repair(table_.get(), {}, {});
  ASSERT_TRUE(repaired.ok()) << repaired.status();
  EXPECT_TRUE(repaired->finished);
}

INSTANTIATE_TEST_SUITE_P(Spark, JulianCalendarTest,
                         ::testing::Values(Footer{"3.5.1", "org.apache.spark.legacyINT96"},
                                           Footer{"2.4.8", "another.key"}));

TEST_F(ForeignFileTest, EachOfSparksLegacyKeysIsForItsOwnColumns) {
  Create({arrow::field("day", arrow::date32())});
  const auto commit = [&](const char* key, const char* days) {
    CommitRows(Batch({{"day", Column(arrow::date32(), days)}}),
               arrow::key_value_metadata({"org.apache.spark.version", key}, {"3.5.1", ""}));
  };
  commit("org.apache.spark.legacyINT96", "[1]");
  commit("org.apache.spark.legacyDateTime", "[2]");
  commit("another.key", "[3]");
  CompactionOptions options;
  options.plan.growth = 1;
  const Status status = Compact(table_.get(), options).status();
  EXPECT_NE(std::string::npos, status.message().find("Julian calendar")) << status;
  EXPECT_EQ(2u, table_->snapshot()->Files().size());  // Days 1 and 3 are merged.
}

TEST_F(ForeignFileTest, NanosecondsAreFloored) {
  Create({arrow::field("at", Time())});
  const auto nanos = arrow::timestamp(arrow::TimeUnit::NANO, "UTC");
  CommitRows(Batch({{"at", Column(nanos, "[-1, 0, 1999, null, -9223372036854775808]")}}));
  CommitRows(Batch({{"at", Column(nanos, "[-1000, -1001]")}}));
  const std::string expected =
      "1969-12-31 23:59:59.999999Z|1970-01-01 00:00:00.000000Z|1970-01-01 00:00:00.000001Z|null|"
      "1677-09-21 00:12:43.145224Z|1969-12-31 23:59:59.999999Z|1969-12-31 23:59:59.999998Z|";
  EXPECT_EQ(expected, Values("at"));
  Merged();
  EXPECT_EQ(expected, Values("at"));
}

TEST_F(ForeignFileTest, ATimeBeyondMicrosecondsIsAnErrorAndNoOtherTime) {
  Create({arrow::field("at", Time())});
  CommitRows(Batch(
      {{"at", Column(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), "[9223372036854775807]")}}));
  const auto snapshot = table_->snapshot();
  EXPECT_TRUE(
      ReadDataFile(&store_, kPath, snapshot->Files()[0], snapshot->schema()).status().IsInvalid());
}

TEST_F(ForeignFileTest, VoidColumnsAreNullAndInNoFile) {
  using arrow::field;
  const auto number = field("a", arrow::int64());
  const auto nothing = field("v", arrow::null());
  const auto partly = arrow::struct_({number, nothing});
  Create({field("n", arrow::int64()), nothing, field("s", partly),
          field("empty", arrow::struct_({nothing})), field("l", arrow::list(partly)),
          field("m", arrow::map(arrow::utf8(), arrow::null()))});
  const auto stored = arrow::struct_({number});
  CommitRows(Batch({{"n", Column(arrow::int64(), "[1, 2]")},
                    {"s", Column(stored, R"([{"a": 3}, null])")},
                    {"l", Column(arrow::list(stored), R"([[{"a": 4}, null], []])")}}));
  CommitRows(Batch({{"n", Column(arrow::int64(), "[5]")}}));
  const auto values = [this] {
    std::string out;
    for (const char* column : {"n", "v", "s", "empty", "l", "m"}) out += Values(column) + "\n";
    return out;
  };
  const std::string before = values();
  EXPECT_EQ("1|2|5|", Values("n"));
  EXPECT_EQ("null|null|null|", Values("v"));
  const DataFile merged = Merged();
  EXPECT_EQ(before, values());
  const auto footer = parquet::ParquetFileReader::Open(
                          store_.OpenInput(std::string(kPath) + "/" + merged.path).ValueOrDie())
                          ->metadata();
  for (int i = 0; i < footer->num_columns(); ++i) {
    EXPECT_EQ(std::string::npos, footer->schema()->Column(i)->path()->ToDotString().find('v'));
  }
  EXPECT_EQ(3, footer->num_columns());  // n, s.a, l[].a
  EXPECT_TRUE(Reasons(merged).empty());
  EXPECT_EQ(R"({"numRecords":3,"minValues":{"n":1,"s":{"a":3}},"maxValues":{"n":5,"s":{"a":3}},)"
            R"("nullCount":{"n":0,"s":{"a":2}}})",
            merged.statistics);
  // As a later metaData of ours would say.
  const std::string schema = FormatDeltaSchema(*table_->snapshot()->schema()).ValueOrDie();
  EXPECT_NE(std::string::npos, schema.find(R"("name":"v","nullable":true,"type":"void")"));
  EXPECT_TRUE(ParseDeltaSchema(schema).ValueOrDie()->Equals(*table_->snapshot()->schema()));
}

TEST_F(ForeignFileTest, AColumnIsFoundAfterItsNameChangedInCase) {
  using arrow::field;
  Create({field("Id", arrow::int64()),
          field("Buyer", arrow::struct_({field("Name", arrow::utf8())}))});
  const auto buyer = arrow::struct_({field("name", arrow::utf8())});
  CommitRows(Batch({{"buyer", Column(buyer, R"([{"name": "x"}, null])")},
                    {"id", Column(arrow::int64(), "[1, 2]")}}));
  CommitRows(Batch({{"ID", Column(arrow::int64(), "[7]")}, {"Id", Column(arrow::int64(), "[3]")}}));
  EXPECT_EQ("1|2|3|", Values("Id"));  // The exact name takes precedence.
  const std::string buyers = Values("Buyer");
  EXPECT_EQ("{Name:string = x}|null|null|", buyers);
  const DataFile old = table_->snapshot()->Files().at(0);
  EXPECT_EQ(R"({"numRecords":2,"minValues":{"Id":1,"Buyer":{"Name":"x"}},)"
            R"("maxValues":{"Id":2,"Buyer":{"Name":"x"}},"nullCount":{"Id":0,"Buyer":{"Name":1}}})",
            ComputeStatistics(&store_, kPath, old, *table_->snapshot()->schema()).ValueOrDie());
  const DataFile merged = Merged();
  EXPECT_EQ("1|2|3|", Values("Id"));
  EXPECT_EQ(buyers, Values("Buyer"));
  EXPECT_NE(std::string::npos, merged.statistics.find(R"("minValues":{"Id":1)"));
  EXPECT_TRUE(Reasons(merged).empty());
}

}  // namespace
}  // namespace shopstream::lake
