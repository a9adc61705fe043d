#include "lake/column_statistics.h"

#include <arrow/scalar.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <arrow/util/utf8.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/statistics.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shopstream::lake {
namespace {

using arrow::Scalar;
using arrow::internal::checked_cast;

constexpr size_t kTextBoundChars = 32;
constexpr uint32_t kLastCodePoint = 0x10FFFF;

std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// Where the first `chars` code points of valid UTF-8 end; npos: there are no more than these.
size_t EndOfChars(std::string_view text, size_t chars) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts_char = (static_cast<uint8_t>(text[i]) & 0xC0) != 0x80;
    if (starts_char && chars-- == 0) return i;
  }
  return std::string_view::npos;
}

uint32_t DecodeCodePoint(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  if (bytes.size() == 1) return lead;
  uint32_t code = lead & (0xFFu >> (bytes.size() + 1));
  for (const char c : bytes.substr(1)) code = code << 6 | (static_cast<uint8_t>(c) & 0x3F);
  return code;
}

std::string EncodeCodePoint(uint32_t code) {
  const auto tail = [code](int shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

std::optional<std::string> DateBound(int32_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) return std::nullopt;
  char text[16];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", year, static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

std::optional<std::string> Quoted(const std::optional<std::string>& text) {
  return text ? std::optional(Quoted(*text)) : std::nullopt;
}

// The bound as JSON.
std::optional<std::string> BoundJson(const Scalar& value, bool is_max) {
  switch (value.type->id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
      return value.ToString();
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: {
      const double number = value.type->id() == arrow::Type::FLOAT
                                ? checked_cast<const arrow::FloatScalar&>(value).value
                                : checked_cast<const arrow::DoubleScalar&>(value).value;
      return std::isfinite(number) ? std::optional(nlohmann::json(number).dump()) : std::nullopt;
    }
    case arrow::Type::DECIMAL128:
      return value.ToString();
    case arrow::Type::DATE32:
      return Quoted(DateBound(checked_cast<const arrow::Date32Scalar&>(value).value));
    case arrow::Type::TIMESTAMP:
      return Quoted(
          TimestampBound(checked_cast<const arrow::TimestampScalar&>(value).value, is_max));
    case arrow::Type::STRING: {
      const std::string_view text = checked_cast<const arrow::StringScalar&>(value).view();
      return Quoted(is_max ? UpperTextBound(text, kTextBoundChars)
                           : LowerTextBound(text, kTextBoundChars));
    }
    default:
      return std::nullopt;
  }
}

// Statistics of one column over all row groups; null where some row group has none.
template <typename DType>
std::shared_ptr<parquet::Statistics> Merged(const parquet::FileMetaData& file, int column) {
  const auto merged = parquet::MakeStatistics<DType>(file.schema()->Column(column));
  for (int i = 0; i < file.num_row_groups(); ++i) {
    const auto part = file.RowGroup(i)->ColumnChunk(column)->statistics();
    if (part == nullptr || !part->HasNullCount()) return nullptr;
    merged->Merge(checked_cast<const parquet::TypedStatistics<DType>&>(*part));
  }
  return merged;
}

std::shared_ptr<parquet::Statistics> Merged(const parquet::FileMetaData& file, int column) {
  switch (file.schema()->Column(column)->physical_type()) {
    case parquet::Type::BOOLEAN:
      return Merged<parquet::BooleanType>(file, column);
    case parquet::Type::INT32:
      return Merged<parquet::Int32Type>(file, column);
    case parquet::Type::INT64:
      return Merged<parquet::Int64Type>(file, column);
    case parquet::Type::FLOAT:
      return Merged<parquet::FloatType>(file, column);
    case parquet::Type::DOUBLE:
      return Merged<parquet::DoubleType>(file, column);
    case parquet::Type::BYTE_ARRAY:
      return Merged<parquet::ByteArrayType>(file, column);
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return Merged<parquet::FLBAType>(file, column);
    default:
      return nullptr;
  }
}

// Whether every row group with values has bounds: writers leave those of long text out, or cut them
// short.
bool HasBounds(const parquet::FileMetaData& file, int column) {
  for (int i = 0; i < file.num_row_groups(); ++i) {
    const auto part = file.RowGroup(i)->ColumnChunk(column)->statistics();
    if (!part->HasMinMax() && part->null_count() < file.RowGroup(i)->num_rows()) return false;
    if (part->is_min_value_exact() == false || part->is_max_value_exact() == false) return false;
  }
  return true;
}

// A JSON object in the making: members of structs stand in objects of their own.
class Members {
 public:
  void Add(const std::string& name, const std::optional<std::string>& json) {
    Add(std::vector<std::string>{name}, json);
  }

  // Those of one struct come one after the other.
  void Add(const std::vector<std::string>& path, const std::optional<std::string>& json) {
    if (!json) return;
    size_t shared = 0;
    while (shared < open_.size() && shared + 1 < path.size() && open_[shared] == path[shared]) {
      ++shared;
    }
    Close(shared);
    if (!text_.empty() && text_.back() != '{') text_ += ",";
    for (; shared + 1 < path.size(); ++shared) {
      text_ += Quoted(path[shared]) + ":{";
      open_.push_back(path[shared]);
    }
    text_ += Quoted(path.back()) + ":" + *json;
  }

  std::string Object() {
    Close(0);
    return "{" + text_ + "}";
  }

 private:
  void Close(size_t depth) {
    for (; open_.size() > depth; open_.pop_back()) text_ += "}";
  }

  std::string text_;
  std::vector<std::string> open_;
};

// Whether it has one value a row; what lists and maps hold has none in the log.
bool IsPerRow(const parquet::ColumnDescriptor& column) {
  return column.max_repetition_level() == 0;
}

Result<std::vector<ColumnFacts>> Facts(const parquet::FileMetaData& file) {
  std::vector<ColumnFacts> facts;
  for (int i = 0; i < file.num_columns(); ++i) {
    if (!IsPerRow(*file.schema()->Column(i))) continue;
    const auto statistics = Merged(file, i);
    if (statistics == nullptr) continue;
    ColumnFacts& column = facts.emplace_back();
    column.path = file.schema()->Column(i)->path()->ToDotVector();
    column.null_count = statistics->null_count();
    if (!statistics->HasMinMax() || !HasBounds(file, i)) continue;
    ARROW_RETURN_NOT_OK(parquet::arrow::StatisticsAsScalars(*statistics, &column.min, &column.max));
  }
  return facts;
}

}  // namespace

Result<std::vector<ColumnFacts>> FactsFromFooter(const parquet::FileMetaData& file) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  return Facts(file);
  END_PARQUET_CATCH_EXCEPTIONS
}

Result<std::string> StatisticsJson(const parquet::FileMetaData& file) {
  ARROW_ASSIGN_OR_RAISE(const auto facts, FactsFromFooter(file));
  Members min_values;
  Members max_values;
  Members null_count;
  for (const ColumnFacts& column : facts) {
    null_count.Add(column.path, std::to_string(*column.null_count));
    if (column.min == nullptr) continue;
    min_values.Add(column.path, BoundJson(*column.min, /*is_max=*/false));
    max_values.Add(column.path, BoundJson(*column.max, /*is_max=*/true));
  }
  Members all;
  all.Add("numRecords", std::to_string(file.num_rows()));
  all.Add("minValues", min_values.Object());
  all.Add("maxValues", max_values.Object());
  all.Add("nullCount", null_count.Object());
  return all.Object();
}

std::optional<std::string> LowerTextBound(std::string_view text, size_t max_chars) {
  if (!arrow::util::ValidateUTF8(text)) return std::nullopt;
  return std::string(text.substr(0, EndOfChars(text, max_chars)));
}

std::optional<std::string> UpperTextBound(std::string_view text, size_t max_chars) {
  if (!arrow::util::ValidateUTF8(text)) return std::nullopt;
  const size_t end = EndOfChars(text, max_chars);
  if (end == std::string_view::npos) return std::string(text);
  std::string_view kept = text.substr(0, end);
  while (!kept.empty()) {
    size_t start = kept.size() - 1;
    while ((static_cast<uint8_t>(kept[start]) & 0xC0) == 0x80) --start;
    const uint32_t code = DecodeCodePoint(kept.substr(start));
    kept = kept.substr(0, start);
    if (code == kLastCodePoint) continue;  // Cannot be raised: raise the one before.
    const uint32_t next = code == 0xD7FF ? 0xE000 : code + 1;  // Surrogates are no characters.
    return std::string(kept) + EncodeCodePoint(next);
  }
  return std::nullopt;
}

std::optional<std::string> TimestampBound(int64_t micros, bool round_up) {
  const std::chrono::microseconds exact(micros);
  const auto millis = round_up ? std::chrono::ceil<std::chrono::milliseconds>(exact)
                               : std::chrono::floor<std::chrono::milliseconds>(exact);
  const auto day = std::chrono::floor<std::chrono::days>(millis);
  const auto date = DateBound(static_cast<int32_t>(day.count()));
  if (!date) return std::nullopt;
  const auto in_day = static_cast<int>((millis - day).count());
  char time[32];
  std::snprintf(time, sizeof(time), "T%02d:%02d:%02d.%03dZ", in_day / 3600000, in_day / 60000 % 60,
                in_day / 1000 % 60, in_day % 1000);
  return *date + time;
}

}  // namespace shopstream::lake
