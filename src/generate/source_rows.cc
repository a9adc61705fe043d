#include "generate/source_rows.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>

#include <cmath>
#include <limits>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "base/table_file.h"

namespace shopstream::generate {

namespace {

template <typename T>
Result<ArrayPtr> NullForNan(const arrow::Array& column) {
  const auto& numbers = static_cast<const arrow::NumericArray<T>&>(column);
  arrow::NumericBuilder<T> builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(numbers.length()));
  for (int64_t row = 0; row < numbers.length(); ++row) {
    const bool missing = numbers.IsNull(row) || std::isnan(numbers.Value(row));
    missing ? builder.UnsafeAppendNull() : builder.UnsafeAppend(numbers.Value(row));
  }
  return builder.Finish();
}

// Programs without nulls, such as pandas, write NaN for a missing number.
Result<ArrayPtr> WithoutNan(const ArrayPtr& column) {
  switch (column->type_id()) {
    case arrow::Type::HALF_FLOAT: {
      ARROW_ASSIGN_OR_RAISE(const auto wider, arrow::compute::Cast(*column, arrow::float32()));
      return NullForNan<arrow::FloatType>(*wider);
    }
    case arrow::Type::FLOAT:
      return NullForNan<arrow::FloatType>(*column);
    case arrow::Type::DOUBLE:
      return NullForNan<arrow::DoubleType>(*column);
    default:
      return column;
  }
}

Result<TextPtr> AsText(const ArrayPtr& column) {
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr text, arrow::compute::Cast(*column, arrow::utf8()));
  return std::static_pointer_cast<arrow::StringArray>(text);
}

}  // namespace

std::optional<std::string_view> ValueAt(const arrow::StringArray& column, int64_t row) {
  if (column.IsNull(row) || column.value_length(row) == 0) return std::nullopt;
  return column.GetView(row);
}

Result<ArrayPtr> ToMask(const std::vector<bool>& mask) {
  arrow::BooleanBuilder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(mask));
  return builder.Finish();
}

Result<JoinedFiles::File> JoinedFiles::LoadFile(const Join& join,
                                                const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(const TableFile table, TableFile::Open(join.file, join.format, columns));
  SkippedLines skipped;
  ARROW_ASSIGN_OR_RAISE(const auto reader, table.Read(columns, &skipped));
  std::map<std::string, arrow::ArrayVector> parts;
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    rows += batch->num_rows();
    for (const std::string& column : columns) {
      parts[column].push_back(batch->GetColumnByName(column));
    }
  }
  if (rows == 0) return Status::Invalid(join.file, " has no rows");
  if (rows > std::numeric_limits<int32_t>::max()) {
    return Status::Invalid(join.file, " has too many rows for a join: ", rows);
  }
  if (const int64_t lines = skipped.with_fewer_values + skipped.with_more_values; lines > 0) {
    Log::Warn("{}: left out {} lines whose number of values differs from the header's", join.file,
              FormatCount(lines));
  }
  File file;
  for (const auto& [column, arrays] : parts) {
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr whole, arrow::Concatenate(arrays));
    ARROW_ASSIGN_OR_RAISE(file.columns[column], WithoutNan(whole));
  }
  ARROW_ASSIGN_OR_RAISE(file.keys, AsText(file.columns.at(join.key)));
  file.row_by_key.reserve(static_cast<size_t>(rows));
  for (int32_t row = 0; row < rows; ++row) {
    const auto key = ValueAt(*file.keys, row);
    if (key && !file.row_by_key.emplace(*key, row).second) {
      return Status::Invalid(join.file, ": ", join.key, " ", *key, " occurs in more than one row; ",
                             "the key of a join must be unique");
    }
  }
  return file;
}

Result<JoinedFiles> JoinedFiles::Load(const SourceMapping& mapping) {
  JoinedFiles joined;
  for (size_t i = 0; i < mapping.joins.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(File file,
                          LoadFile(mapping.joins[i], ColumnsOf(mapping, static_cast<int>(i))));
    joined.files_.push_back(std::move(file));
  }
  return joined;
}

ArrayPtr JoinedFiles::Column(const ColumnRef& ref) const {
  return files_[static_cast<size_t>(ref.join)].columns.at(ref.column);
}

Result<ArrayPtr> JoinedFiles::Find(int join, const arrow::StringArray& keys) const {
  const auto& row_by_key = files_[static_cast<size_t>(join)].row_by_key;
  arrow::Int32Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(keys.length()));
  for (int64_t row = 0; row < keys.length(); ++row) {
    const auto key = ValueAt(keys, row);
    const auto found = key ? row_by_key.find(*key) : row_by_key.end();
    if (found == row_by_key.end()) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(found->second);
    }
  }
  return builder.Finish();
}

std::string SourceRows::At(int64_t row) const {
  const auto numbers =
      std::static_pointer_cast<arrow::Int64Array>(rows_->GetColumnByName(kRowColumn));
  return mapping_.file + ", row " + std::to_string(numbers->Value(row));
}

std::string SourceRows::NameOf(const ColumnRef& ref) const {
  return mapping_.file + ", column " + mapping_.NameOf(ref);
}

Result<std::string> SourceRows::ValueFor(int64_t row, const ColumnRef& ref) {
  ARROW_ASSIGN_OR_RAISE(const TextPtr text, Text(ref));
  const std::string value = text->IsNull(row) ? "" : Printable(text->GetView(row));
  return At(row) + ", column " + mapping_.NameOf(ref) + ": '" + value + "'";
}

char SourceRows::DecimalPoint(const ColumnRef& ref) const {
  return ref.join < 0 ? mapping_.format.decimal
                      : mapping_.joins[static_cast<size_t>(ref.join)].format.decimal;
}

Result<ArrayPtr> SourceRows::Matches(int join) {
  ArrayPtr& matches = matches_[join];
  if (matches == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const TextPtr on, Text(mapping_.joins[static_cast<size_t>(join)].on));
    ARROW_ASSIGN_OR_RAISE(matches, joined_.Find(join, *on));
  }
  return matches;
}

Result<ArrayPtr> SourceRows::Column(const ColumnRef& ref) {
  ArrayPtr& column = columns_[ref];
  if (column == nullptr && ref.join < 0) {
    ARROW_ASSIGN_OR_RAISE(column, WithoutNan(rows_->GetColumnByName(ref.column)));
  } else if (column == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr matches, Matches(ref.join));
    ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Take(*joined_.Column(ref), *matches));
  }
  return column;
}

Result<TextPtr> SourceRows::Text(const ColumnRef& ref) {
  TextPtr& text = texts_[ref];
  if (text == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr column, Column(ref));
    ARROW_ASSIGN_OR_RAISE(text, AsText(column));
  }
  return text;
}

Status SourceRows::Keep(const std::vector<bool>& mask) {
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr wanted, ToMask(mask));
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum kept, arrow::compute::Filter(rows_, wanted));
  rows_ = kept.record_batch();
  columns_.clear();
  texts_.clear();
  matches_.clear();
  return Status::OK();
}

}  // namespace shopstream::generate
