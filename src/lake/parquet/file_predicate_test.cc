#include "lake/parquet/file_predicate.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <compare>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/partition_path.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::MemoryStore;

std::shared_ptr<arrow::Scalar> Parsed(const std::shared_ptr<arrow::DataType>& type,
                                      const std::string& text) {
  return ParsePartitionValue(text, type).ValueOrDie();
}
std::shared_ptr<arrow::Scalar> Text(const std::string& text) {
  return std::make_shared<arrow::StringScalar>(text);
}
std::shared_ptr<arrow::Scalar> Int(int64_t value) {
  return std::make_shared<arrow::Int64Scalar>(value);
}
std::shared_ptr<arrow::Scalar> Double(double value) {
  return std::make_shared<arrow::DoubleScalar>(value);
}
std::shared_ptr<arrow::Scalar> Day(const std::string& text) {
  return Parsed(arrow::date32(), text);
}

ColumnRange AtLeast(const std::string& column, std::shared_ptr<arrow::Scalar> least) {
  return {.column = column, .least = std::move(least)};
}
ColumnRange AtMost(const std::string& column, std::shared_ptr<arrow::Scalar> most) {
  return {.column = column, .most = std::move(most)};
}
ColumnRange EqualTo(const std::string& column, const std::shared_ptr<arrow::Scalar>& value) {
  return {.column = column, .least = value, .most = value};
}
ColumnRange Above(const std::string& column, std::shared_ptr<arrow::Scalar> least) {
  return {.column = column, .least = std::move(least), .above = true};
}
ColumnRange Below(const std::string& column, std::shared_ptr<arrow::Scalar> most) {
  return {.column = column, .most = std::move(most), .below = true};
}
ColumnRange IsNull(const std::string& column) { return {.column = column, .is_null = true}; }
ColumnRange IsNotNull(const std::string& column) { return {.column = column}; }

TEST(FilePredicateTest, PartitionValuesDecide) {
  DataFile file;
  file.partition_values = {{"region", "EU"}, {"date", "2025-10-24"}, {"shop", std::nullopt}};
  const auto may = [&](const FilePredicate& predicate) { return predicate.MayMatch(file); };
  EXPECT_TRUE(may({}));
  EXPECT_TRUE(may(EqualTo("region", Text("EU"))));
  EXPECT_FALSE(may(EqualTo("region", Text("US"))));
  EXPECT_TRUE(may(AtLeast("date", Day("2025-10-24"))));
  EXPECT_FALSE(may(Above("date", Day("2025-10-24"))));
  EXPECT_FALSE(may(Below("date", Day("2025-10-24"))));
  EXPECT_FALSE(may(AtMost("date", Day("2025-10-23"))));
  EXPECT_TRUE(may(IsNull("shop")));
  EXPECT_FALSE(may(IsNotNull("shop")));
  EXPECT_FALSE(may(AtLeast("shop", Text(""))));
  EXPECT_FALSE(may(IsNull("region")));
  EXPECT_TRUE(may(IsNotNull("region")));
  EXPECT_TRUE(may(EqualTo("elsewhere", Int(1))));
}

TEST(FilePredicateTest, PartsAreCombined) {
  DataFile file;
  file.partition_values = {{"region", "EU"}, {"date", "2025-10-24"}};
  const FilePredicate here = EqualTo("region", Text("EU"));
  const FilePredicate elsewhere = EqualTo("region", Text("US"));
  const auto all = [&](std::vector<FilePredicate> parts) {
    return FilePredicate::AllOf(std::move(parts)).MayMatch(file);
  };
  const auto any = [&](std::vector<FilePredicate> parts) {
    return FilePredicate::AnyOf(std::move(parts)).MayMatch(file);
  };
  EXPECT_TRUE(all({}));
  EXPECT_FALSE(any({}));
  EXPECT_FALSE(all({here, elsewhere}));
  EXPECT_TRUE(any({elsewhere, here}));
  EXPECT_FALSE(all({here, FilePredicate::AnyOf({elsewhere, elsewhere})}));
  EXPECT_TRUE(any({elsewhere, FilePredicate::AllOf({here, here})}));
}

TEST(FilePredicateTest, StatisticsAreOuterBounds) {
  DataFile file;
  const auto may = [&](const std::string& statistics, const FilePredicate& predicate) {
    file.statistics = statistics;
    return predicate.MayMatch(file);
  };
  const std::string some =
      R"({"numRecords":5,"minValues":{"n":3,"x":1.5},"maxValues":{"n":7,"x":2.5},)"
      R"("nullCount":{"n":0,"x":2,"gone":5}})";
  EXPECT_FALSE(may(some, Above("n", Int(7))));
  EXPECT_TRUE(may(some, AtLeast("n", Int(7))));
  EXPECT_FALSE(may(some, EqualTo("n", Int(2))));
  EXPECT_FALSE(may(some, IsNull("n")));
  EXPECT_TRUE(may(some, IsNull("x")));
  EXPECT_FALSE(may(some, IsNotNull("gone")));
  EXPECT_FALSE(may(some, EqualTo("gone", Int(1))));
  EXPECT_TRUE(may(some, IsNull("gone")));
  // A NaN, which is above all numbers, is not in the maximum that many writers state.
  EXPECT_TRUE(may(some, Above("x", Double(2.5))));
  EXPECT_TRUE(may(some, EqualTo("x", Double(std::nan("")))));
  EXPECT_FALSE(may(some, EqualTo("x", Double(3))));
  EXPECT_FALSE(may(some, Below("x", Double(1.5))));
  // Whatever is absent or not understood leaves the file in.
  for (const char* unknown :
       {"", "{", "[]", R"({"numRecords":5})", R"({"numRecords":5,"nullCount":{"n":"many"}})",
        R"({"numRecords":5,"minValues":{"n":{"a":1}},"maxValues":{"n":null},"nullCount":{"n":0}})",
        R"({"numRecords":5,"minValues":{"n":1.5},"maxValues":{"n":"7"x}})",
        R"({"minValues":{"n":"low"},"maxValues":{"n":[7]}})"}) {
    EXPECT_TRUE(may(unknown, EqualTo("n", Int(9)))) << unknown;
    EXPECT_TRUE(may(unknown, IsNotNull("n"))) << unknown;
  }
}

// --- Against a full scan ---------------------------------------------------------------------

using Value = std::variant<std::monostate, int64_t, double, std::string>;  // monostate: null.
using Row = std::vector<Value>;                                            // One for each column.

// As SQL orders: NaN is above every number and equal to itself.
std::partial_ordering Ordered(const Value& a, const Value& b) {
  if (const auto* left = std::get_if<double>(&a)) {
    const double right = std::get<double>(b);
    if (std::isnan(*left) || std::isnan(right)) return std::isnan(*left) <=> std::isnan(right);
    return *left <=> right;
  }
  if (const auto* left = std::get_if<int64_t>(&a)) return *left <=> std::get<int64_t>(b);
  return std::get<std::string>(a) <=> std::get<std::string>(b);
}

// One end of a range or both, in the values of the test.
struct Condition {
  size_t column = 0;
  std::optional<Value> least, most;
  bool above = false, below = false, is_null = false;

  bool Takes(const Row& row) const {
    const Value& value = row[column];
    if (value.index() == 0) return is_null;
    if (is_null) return false;
    const auto low = least ? Ordered(value, *least) : std::partial_ordering::greater;
    const auto high = most ? Ordered(value, *most) : std::partial_ordering::less;
    return (above ? low > 0 : low >= 0) && (below ? high < 0 : high <= 0);
  }
};

const std::shared_ptr<arrow::DataType> kDecimal = arrow::decimal128(38, 4);
const std::shared_ptr<arrow::DataType> kInstant = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");

const std::shared_ptr<arrow::Schema> kColumns = arrow::schema(
    {arrow::field("id", arrow::int64()),  // The row's place in the file.
     arrow::field("n", arrow::int64()), arrow::field("x", arrow::float64()),
     arrow::field("f", arrow::float32()), arrow::field("name", arrow::utf8()),
     arrow::field("at", kInstant), arrow::field("local", arrow::timestamp(arrow::TimeUnit::MICRO)),
     arrow::field("day", arrow::date32()), arrow::field("price", kDecimal),
     arrow::field("flag", arrow::boolean()), arrow::field("number", arrow::int32())});

std::shared_ptr<arrow::Scalar> ToScalar(const Value& value,
                                        const std::shared_ptr<arrow::DataType>& type) {
  if (value.index() == 0) return arrow::MakeNullScalar(type);
  switch (type->id()) {
    case arrow::Type::STRING:
      return Text(std::get<std::string>(value));
    case arrow::Type::DOUBLE:
      return Double(std::get<double>(value));
    case arrow::Type::FLOAT:
      return std::make_shared<arrow::FloatScalar>(static_cast<float>(std::get<double>(value)));
    case arrow::Type::DECIMAL128: {
      // The last digits of a wide decimal, which a double does not hold.
      const arrow::Decimal128 base("90071992547409930000");
      return std::make_shared<arrow::Decimal128Scalar>(
          base + arrow::Decimal128(std::get<int64_t>(value)), type);
    }
    case arrow::Type::BOOL:
      return std::make_shared<arrow::BooleanScalar>(std::get<int64_t>(value) > 0);
    case arrow::Type::INT32:
      return std::make_shared<arrow::Int32Scalar>(
          static_cast<int32_t>(std::get<int64_t>(value) % 1000));
    case arrow::Type::DATE32:
      return std::make_shared<arrow::Date32Scalar>(
          static_cast<int32_t>(std::get<int64_t>(value) % 1000000));
    case arrow::Type::TIMESTAMP:
      return std::make_shared<arrow::TimestampScalar>(std::get<int64_t>(value), type);
    default:
      return Int(std::get<int64_t>(value));
  }
}

// Values around `centre`, so that files and row groups differ; now and then one of the extremes.
class Values {
 public:
  explicit Values(uint32_t seed) : random_(seed) {}

  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  Value Of(const arrow::DataType& type, int centre) {
    const int64_t near = centre * 10 + Below(12);
    switch (type.id()) {
      case arrow::Type::STRING:
        return TextNear(centre);
      case arrow::Type::DOUBLE:
      case arrow::Type::FLOAT:
        return NumberNear(centre);
      case arrow::Type::BOOL:
        return int64_t{Below(2)};
      case arrow::Type::INT64:
        if (Below(20) == 0) return std::numeric_limits<int64_t>::max() - Below(3);
        return near;
      case arrow::Type::TIMESTAMP:
        return near * 300 - 2000;  // Microseconds: several in a millisecond, some before 1970.
      default:
        return near % 1000;
    }
  }

 private:
  Value NumberNear(int centre) {
    constexpr double kLast = std::numeric_limits<double>::infinity();
    constexpr std::array<double, 6> kExtremes = {
        std::numeric_limits<double>::quiet_NaN(), kLast, -kLast, -0.0, 0.0, 1e-40};
    if (Below(15) == 0) return static_cast<double>(static_cast<float>(kExtremes[Below(6)]));
    return static_cast<double>(static_cast<float>(centre + Below(12) / 10.0));
  }
  Value TextNear(int centre) {
    constexpr std::array<const char*, 6> kEnds = {"", "z", "\U0010FFFF", "\uD7FF", "日本", "\x7F"};
    std::string text(1, static_cast<char>('a' + centre % 20));
    // Often as long as the bounds, or one character longer.
    if (Below(2) == 0) text.append(29 + Below(4), 'm');
    return text + kEnds[Below(6)] + kEnds[Below(6)];
  }

  std::mt19937 random_;
};

struct Stored {
  DataFile file;
  std::vector<Row> rows;
};

// A file of a few row groups, each with its own neighbourhood of values.
Stored WriteRows(MemoryStore* store, Values* values) {
  std::unique_ptr<DataFileWriter> writer;
  Stored stored;
  std::vector<std::shared_ptr<arrow::RecordBatch>> groups;
  for (int group = 1 + values->Below(4); group > 0; --group) {
    const int centre = values->Below(40);
    const int nulls_in = values->Below(4);  // 0: one column is all null, otherwise one value in 4n.
    const auto empty = static_cast<size_t>(values->Below(kColumns->num_fields()));
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
    for (const auto& field : kColumns->fields()) {
      builders.push_back(arrow::MakeBuilder(field->type()).ValueOrDie());
    }
    for (int i = 1 + values->Below(6); i > 0; --i) {
      Row row;
      for (size_t column = 0; column < builders.size(); ++column) {
        const auto& type = kColumns->field(static_cast<int>(column))->type();
        Value value = values->Of(*type, centre);
        const bool null = nulls_in == 0 ? column == empty : values->Below(4 * nulls_in) == 0;
        if (null) value = std::monostate();
        if (column == 0) value = static_cast<int64_t>(stored.rows.size());
        EXPECT_TRUE(builders[column]->AppendScalar(*ToScalar(value, type)).ok());
        row.push_back(std::move(value));
      }
      stored.rows.push_back(std::move(row));
    }
    arrow::ArrayVector columns;
    for (const auto& builder : builders) columns.push_back(builder->Finish().ValueOrDie());
    const int64_t rows = columns[0]->length();
    groups.push_back(arrow::RecordBatch::Make(kColumns, rows, std::move(columns)));
  }
  StreamMemory memory;
  memory.bytes = 2;  // Each batch becomes a row group.
  ColumnPaths unbounded;
  for (;;) {
    writer = DataFileWriter::Open(store, "t", {}, *groups[0], unbounded, memory).ValueOrDie();
    for (const auto& rows : groups) EXPECT_TRUE(writer->Write(*rows).ok());
    auto file = writer->Finish().ValueOrDie();
    unbounded = writer->unbounded();
    if (!file) continue;
    stored.file = *std::move(file);
    return stored;
  }
}

Condition RandomCondition(Values* values) {
  Condition condition;
  condition.column = static_cast<size_t>(values->Below(kColumns->num_fields()));
  const auto& type = *kColumns->field(static_cast<int>(condition.column))->type();
  const int form = values->Below(8);
  if (form == 0) condition.is_null = true;
  if (form < 2) return condition;
  const int centre = values->Below(40);
  if (form != 2) condition.least = values->Of(type, centre);
  if (form == 3) condition.most = condition.least;
  if (form == 2 || form == 4) condition.most = values->Of(type, centre + values->Below(3));
  condition.above = form != 3 && values->Below(2) == 0;
  condition.below = form != 3 && values->Below(2) == 0;
  return condition;
}

FilePredicate PredicateOf(const Condition& condition) {
  const auto& field = kColumns->field(static_cast<int>(condition.column));
  ColumnRange range = {.column = field->name()};
  if (condition.least) range.least = ToScalar(*condition.least, field->type());
  if (condition.most) range.most = ToScalar(*condition.most, field->type());
  range.above = condition.above;
  range.below = condition.below;
  range.is_null = condition.is_null;
  return range;
}

// Conditions of which one must hold, in groups that must all hold.
using Conditions = std::vector<std::vector<Condition>>;

bool Takes(const Conditions& conditions, const Row& row) {
  return std::ranges::all_of(conditions, [&](const auto& any) {
    return std::ranges::any_of(any, [&](const Condition& each) { return each.Takes(row); });
  });
}

FilePredicate PredicateOf(const Conditions& conditions) {
  std::vector<FilePredicate> all;
  for (const auto& any : conditions) {
    std::vector<FilePredicate> parts;
    for (const Condition& each : any) parts.push_back(PredicateOf(each));
    all.push_back(FilePredicate::AnyOf(std::move(parts)));
  }
  return FilePredicate::AllOf(std::move(all));
}

// The places of the rows that a reader with the predicate gets.
std::vector<size_t> PlacesRead(MemoryStore* store, const DataFile& file,
                               const FilePredicate& predicate) {
  const auto reader = DataFileReader::Open(store, "t", file, arrow::schema({kColumns->field(0)}),
                                           StreamMemory(), predicate)
                          .ValueOrDie();
  std::vector<size_t> places;
  for (;;) {
    const auto rows = reader->Next().ValueOrDie();
    if (rows == nullptr) return places;
    const auto& ids = static_cast<const arrow::Int64Array&>(*rows->column(0));
    for (int64_t i = 0; i < ids.length(); ++i) places.push_back(static_cast<size_t>(ids.Value(i)));
  }
}

TEST(FilePredicateTest, NeverLosesARow) {
  MemoryStore store;
  int64_t all = 0, files_read = 0, rows = 0, rows_read = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Values values(seed);
    const Stored stored = WriteRows(&store, &values);
    for (int i = 0; i < 40; ++i) {
      Conditions conditions(1 + values.Below(2));
      for (auto& any : conditions) {
        for (int parts = 1 + values.Below(2); parts > 0; --parts) {
          any.push_back(RandomCondition(&values));
        }
      }
      const FilePredicate predicate = PredicateOf(conditions);
      const bool may = predicate.MayMatch(stored.file);
      const std::vector<size_t> read = PlacesRead(&store, stored.file, predicate);
      SCOPED_TRACE("seed " + std::to_string(seed) + ", condition " + std::to_string(i) + ": " +
                   stored.file.statistics);
      for (size_t place = 0; place < stored.rows.size(); ++place) {
        if (!Takes(conditions, stored.rows[place])) continue;
        ASSERT_TRUE(may);
        ASSERT_EQ(1, std::ranges::count(read, place));
      }
      ++all;
      files_read += may ? 1 : 0;
      rows += static_cast<int64_t>(stored.rows.size());
      rows_read += static_cast<int64_t>(read.size());
    }
  }
  // It also skips enough to be useful.
  EXPECT_LT(files_read, all * 8 / 10);
  EXPECT_LT(rows_read, rows * 6 / 10);
}

}  // namespace
}  // namespace shopstream::lake
