#include "lake/parquet/column_statistics.h"

#include <arrow/util/checked_cast.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lake/parquet/json_tree.h"
#include "lake/parquet/statistics_bound.h"
#include "lake/parquet/stored_column.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;
using Path = std::vector<std::string>;

void AddColumns(const Path& parents, const arrow::Field& field, std::vector<ColumnFacts>* columns) {
  Path path = parents;
  path.push_back(field.name());
  switch (field.type()->id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
    case arrow::Type::NA:  // Files do not store it.
      return;
    case arrow::Type::STRUCT:
      for (const auto& member : field.type()->fields()) AddColumns(path, *member, columns);
      return;
    case arrow::Type::DICTIONARY:
      columns->emplace_back().type =
          checked_cast<const arrow::DictionaryType&>(*field.type()).value_type();
      break;
    default:
      columns->emplace_back().type = field.type();
  }
  columns->back().path = std::move(path);
}

// Some row groups of a file, with consecutive numbers.
struct RowGroups {
  const parquet::FileMetaData& file;
  int first;
  int end;

  int64_t rows() const {
    int64_t rows = 0;
    for (int i = first; i < end; ++i) rows += file.RowGroup(i)->num_rows();
    return rows;
  }
};

// Statistics of one column over the row groups; null if any of them has none.
template <typename DType>
std::shared_ptr<parquet::Statistics> Merged(const RowGroups& groups, int column) {
  const parquet::FileMetaData& file = groups.file;
  const auto merged = parquet::MakeStatistics<DType>(file.schema()->Column(column));
  for (int i = groups.first; i < groups.end; ++i) {
    if (file.RowGroup(i)->num_rows() == 0) continue;
    const auto part = file.RowGroup(i)->ColumnChunk(column)->statistics();
    if (part == nullptr || !part->HasNullCount()) return nullptr;
    merged->Merge(checked_cast<const parquet::TypedStatistics<DType>&>(*part));
  }
  return merged;
}

std::shared_ptr<parquet::Statistics> Merged(const RowGroups& groups, int column) {
  switch (groups.file.schema()->Column(column)->physical_type()) {
    case parquet::Type::BOOLEAN:
      return Merged<parquet::BooleanType>(groups, column);
    case parquet::Type::INT32:
      return Merged<parquet::Int32Type>(groups, column);
    case parquet::Type::INT64:
      return Merged<parquet::Int64Type>(groups, column);
    case parquet::Type::FLOAT:
      return Merged<parquet::FloatType>(groups, column);
    case parquet::Type::DOUBLE:
      return Merged<parquet::DoubleType>(groups, column);
    case parquet::Type::BYTE_ARRAY:
      return Merged<parquet::ByteArrayType>(groups, column);
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return Merged<parquet::FLBAType>(groups, column);
    default:
      return nullptr;
  }
}

// Whether every row group with values has complete bounds: writers omit or truncate those of long
// text.
bool HasWholeBounds(const RowGroups& groups, int column) {
  for (int i = groups.first; i < groups.end; ++i) {
    const auto group = groups.file.RowGroup(i);
    if (group->num_rows() == 0) continue;
    const auto part = group->ColumnChunk(column)->statistics();
    if (!part->HasMinMax() && part->null_count() < group->num_rows()) return false;
    if (part->is_min_value_exact() == false || part->is_max_value_exact() == false) return false;
  }
  return true;
}

// Whether the file has no column at this path, regardless of case.
bool Lacks(const parquet::schema::GroupNode& root, const Path& path) {
  const parquet::schema::Node* node = &root;
  for (const std::string& name : path) {
    if (!node->is_group()) return false;
    const auto& group = checked_cast<const parquet::schema::GroupNode&>(*node);
    node = nullptr;
    for (int i = 0; i < group.field_count() && node == nullptr; ++i) {
      if (EqualButForCase(group.field(i)->name(), name)) node = group.field(i).get();
    }
    if (node == nullptr) return true;
  }
  return false;
}

Status Fill(const RowGroups& groups, std::vector<ColumnFacts>* columns) {
  const parquet::FileMetaData& file = groups.file;
  std::map<Path, int> stored;
  for (int i = 0; i < file.num_columns(); ++i) {
    const parquet::ColumnDescriptor& column = *file.schema()->Column(i);
    if (column.max_repetition_level() == 0) stored[column.path()->ToDotVector()] = i;
  }
  for (ColumnFacts& column : *columns) {
    auto found = stored.find(column.path);
    if (found == stored.end()) {
      found = std::ranges::find_if(stored, [&column](const auto& other) {
        return std::ranges::equal(other.first, column.path, EqualButForCase);
      });
    }
    if (found == stored.end()) {
      if (Lacks(*file.schema()->group_node(), column.path)) column.null_count = groups.rows();
      continue;
    }
    const auto statistics = Merged(groups, found->second);
    if (statistics == nullptr) continue;
    column.null_count = statistics->null_count();
    if (!HasBounds(*column.type) || !statistics->HasMinMax()) continue;
    if (!HasWholeBounds(groups, found->second)) continue;
    std::shared_ptr<arrow::Scalar> min;
    std::shared_ptr<arrow::Scalar> max;
    ARROW_RETURN_NOT_OK(parquet::arrow::StatisticsAsScalars(*statistics, &min, &max));
    if (!min->type->Equals(column.type)) continue;
    column.min = std::move(min);
    column.max = std::move(max);
  }
  return Status::OK();
}

// The object that holds a column's value; creates missing objects above it.
JsonTree& ParentOf(const Path& path, JsonTree* root) {
  JsonTree* parent = root;
  for (size_t i = 0; i + 1 < path.size(); ++i) parent = &parent->Member(path[i]);
  return *parent;
}

bool IsQuoted(const std::string& text) { return text.starts_with('"'); }

// A JSON number that every reader can parse as an integer or a decimal: no exponent.
bool IsPlainNumber(const std::string& text) {
  return !text.empty() && text.find_first_not_of("-.0123456789") == std::string::npos;
}

bool IsSoundBound(const JsonTree* bound, const arrow::DataType& type) {
  if (bound == nullptr || bound->is_object() || bound->is_null()) return false;
  const std::string& text = bound->scalar();
  switch (type.id()) {
    case arrow::Type::BOOL:
      return text == "true" || text == "false";
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return !IsQuoted(text) || text == "\"Infinity\"" || text == "\"-Infinity\"";
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::STRING:
      return IsQuoted(text);
    default:
      return IsPlainNumber(text);
  }
}

template <typename DType>
bool IsZero(const parquet::Statistics& statistics) {
  const auto& typed = checked_cast<const parquet::TypedStatistics<DType>&>(statistics);
  return typed.min() == 0 && typed.max() == 0;
}

bool HasMemberWithoutBounds(const arrow::DataType& type) {
  if (type.id() == arrow::Type::NA) return false;
  if (type.id() != arrow::Type::STRUCT) return !HasBounds(type);
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& member) { return HasMemberWithoutBounds(*member->type()); });
}

// Whether minValues or maxValues has an object for each struct above a column.
bool HasParents(const JsonTree& bounds, const Path& path) {
  const JsonTree* parent = &bounds;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    parent = parent->Find(path[i]);
    if (parent == nullptr || !parent->is_object()) return false;
  }
  return true;
}

}  // namespace

std::string ColumnFacts::DottedPath() const {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

std::vector<ColumnFacts> ColumnsWithStatistics(const arrow::Schema& schema,
                                               const PartitionValues& partition) {
  std::vector<ColumnFacts> columns;
  for (const auto& field : schema.fields()) {
    const bool in_path = std::any_of(partition.begin(), partition.end(), [&](const auto& value) {
      return value.first == field->name();
    });
    if (!in_path) AddColumns({}, *field, &columns);
  }
  return columns;
}

Status FillFromFooter(const parquet::FileMetaData& file, std::vector<ColumnFacts>* columns) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  return Fill({file, 0, file.num_row_groups()}, columns);
  END_PARQUET_CATCH_EXCEPTIONS
}

Status FillFromRowGroup(const parquet::FileMetaData& file, int row_group,
                        std::vector<ColumnFacts>* columns) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  return Fill({file, row_group, row_group + 1}, columns);
  END_PARQUET_CATCH_EXCEPTIONS
}

void ReplaceFacts(const std::vector<ColumnFacts>& known, std::vector<ColumnFacts>* columns) {
  for (const ColumnFacts& column : known) {
    const auto at = std::find_if(columns->begin(), columns->end(), [&](const ColumnFacts& other) {
      return other.path == column.path;
    });
    if (at != columns->end()) *at = column;
  }
}

bool IsBounded(const ColumnFacts& column, int64_t rows) {
  if (!column.null_count || column.has_nan) return false;
  if (*column.null_count == rows || !HasBounds(*column.type)) return true;
  return column.min != nullptr && column.max != nullptr && BoundJson(*column.min, false) &&
         BoundJson(*column.max, true);
}

bool AddUnbounded(const std::vector<ColumnFacts>& columns, int64_t rows,
                  std::set<std::string>* unbounded) {
  bool added = false;
  for (const ColumnFacts& column : columns) {
    if (!IsBounded(column, rows)) added |= unbounded->insert(column.DottedPath()).second;
  }
  return added;
}

bool AddZeroColumns(const parquet::FileMetaData& file, std::set<std::string>* unbounded) {
  bool added = false;
  for (int i = 0; i < file.num_columns(); ++i) {
    const parquet::ColumnDescriptor& column = *file.schema()->Column(i);
    for (int group = 0; group < file.num_row_groups(); ++group) {
      const auto statistics = file.RowGroup(group)->ColumnChunk(i)->statistics();
      if (statistics == nullptr || !statistics->HasMinMax()) continue;
      if ((column.physical_type() == parquet::Type::FLOAT &&
           IsZero<parquet::FloatType>(*statistics)) ||
          (column.physical_type() == parquet::Type::DOUBLE &&
           IsZero<parquet::DoubleType>(*statistics))) {
        added |= unbounded->insert(column.path()->ToDotString()).second;
      }
    }
  }
  return added;
}

bool KeepsStatistics(const arrow::Schema& schema) {
  return std::none_of(schema.fields().begin(), schema.fields().end(), [](const auto& field) {
    return field->type()->id() == arrow::Type::STRUCT && HasMemberWithoutBounds(*field->type());
  });
}

std::string StatisticsJson(int64_t rows, const std::vector<ColumnFacts>& columns,
                           const arrow::Schema& schema) {
  JsonTree all;
  all.Set("numRecords", JsonTree::Scalar(std::to_string(rows)));
  const bool bounded = std::all_of(columns.begin(), columns.end(),
                                   [rows](const auto& column) { return IsBounded(column, rows); });
  if (!bounded || !KeepsStatistics(schema)) return all.Text();
  JsonTree min_values;
  JsonTree max_values;
  JsonTree null_count;
  for (const ColumnFacts& column : columns) {
    const std::string& name = column.path.back();
    ParentOf(column.path, &null_count)
        .Set(name, JsonTree::Scalar(std::to_string(*column.null_count)));
    if (!HasBounds(*column.type)) continue;
    JsonTree& min = ParentOf(column.path, &min_values);
    JsonTree& max = ParentOf(column.path, &max_values);
    if (*column.null_count == rows) continue;
    min.Set(name, JsonTree::Scalar(*BoundJson(*column.min, /*is_max=*/false)));
    max.Set(name, JsonTree::Scalar(*BoundJson(*column.max, /*is_max=*/true)));
  }
  all.Set("minValues", std::move(min_values));
  all.Set("maxValues", std::move(max_values));
  all.Set("nullCount", std::move(null_count));
  return all.Text();
}

std::vector<ColumnFacts> NewColumns(const arrow::Schema& schema, const arrow::Schema& grown) {
  std::set<Path> known;
  for (const ColumnFacts& column : ColumnsWithStatistics(schema)) known.insert(column.path);
  std::vector<ColumnFacts> columns = ColumnsWithStatistics(grown);
  std::erase_if(columns, [&](const ColumnFacts& column) { return known.contains(column.path); });
  return columns;
}

std::optional<std::string> CompletedStatistics(const std::string& statistics,
                                               const std::vector<ColumnFacts>& missing,
                                               const arrow::Schema& schema) {
  if (statistics.empty()) return std::nullopt;
  auto parsed = JsonTree::ParseObject(statistics);
  if (!parsed.ok()) return "";
  JsonTree& all = *parsed;
  if (!all.Find("minValues") && !all.Find("maxValues") && !all.Find("nullCount")) {
    return std::nullopt;
  }
  const JsonTree* rows = all.Find("numRecords");
  if (rows == nullptr || rows->is_object() || rows->is_null()) return "";
  const JsonTree all_null = *rows;
  if (!KeepsStatistics(schema)) {
    JsonTree alone;
    alone.Set("numRecords", all_null);
    return alone.Text();
  }
  bool changed = false;
  for (const ColumnFacts& column : missing) {
    const JsonTree* known = all.Member("nullCount").Find(column.path);
    if (known != nullptr && !known->is_null()) continue;
    ParentOf(column.path, &all.Member("nullCount")).Set(column.path.back(), all_null);
    if (HasBounds(*column.type)) {
      ParentOf(column.path, &all.Member("minValues"));
      ParentOf(column.path, &all.Member("maxValues"));
    }
    changed = true;
  }
  return changed ? std::optional(all.Text()) : std::nullopt;
}

bool HasSoundForm(const std::string& statistics, const arrow::Schema& schema,
                  const PartitionValues& partition) {
  if (statistics.empty()) return true;
  const auto all = JsonTree::ParseObject(statistics);
  if (!all.ok()) return false;
  const JsonTree* rows = all->Find("numRecords");
  if (rows == nullptr || !IsPlainNumber(rows->scalar())) return false;
  const JsonTree none;
  const auto part = [&](const char* name) {
    const JsonTree* found = all->Find(name);
    return found == nullptr || !found->is_object() ? &none : found;
  };
  const JsonTree& min_values = *part("minValues");
  const JsonTree& max_values = *part("maxValues");
  const JsonTree& null_count = *part("nullCount");
  if (min_values.members().empty() && max_values.members().empty() &&
      null_count.members().empty()) {
    return true;
  }
  if (!KeepsStatistics(schema)) return false;
  for (const ColumnFacts& column : ColumnsWithStatistics(schema, partition)) {
    const JsonTree* nulls = null_count.Find(column.path);
    if (nulls == nullptr || !IsPlainNumber(nulls->scalar())) return false;
    if (!HasBounds(*column.type)) continue;
    if (!HasParents(min_values, column.path) || !HasParents(max_values, column.path)) return false;
    if (nulls->scalar() == rows->scalar()) continue;
    if (!IsSoundBound(min_values.Find(column.path), *column.type)) return false;
    if (!IsSoundBound(max_values.Find(column.path), *column.type)) return false;
  }
  return true;
}

}  // namespace shopstream::lake
