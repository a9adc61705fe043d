#include "ingest/row_hash.h"

#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <optional>

#include "ingest/align_columns.h"
#include "kafka/record_hash.h"

namespace shopstream::ingest {

void RowHasher::AddTable(const BronzeLayout& layout) {
  std::set<std::string>& columns = columns_[layout.table.path];
  for (int i = 0; i < layout.record->num_fields(); ++i) {
    if (!layout.IsPartitionColumn(i)) columns.insert(layout.column_names[static_cast<size_t>(i)]);
  }
}

const std::set<std::string>& RowHasher::ColumnsOf(const std::string& table) const {
  static const std::set<std::string> kNone;
  const auto found = columns_.find(table);
  return found == columns_.end() ? kNone : found->second;
}

Result<int64_t> RowHasher::Hash(const std::string& table, const Columns& columns,
                                int64_t row) const {
  std::string text = table;
  for (const std::string& name : ColumnsOf(table)) {
    const auto column = columns.find(name);
    if (column == columns.end() || column->second->IsNull(row)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto value, column->second->GetScalar(row));
    // Lengths keep a value apart from the next name.
    const std::string shown = value->ToString();
    text += "\n" + name + " " + std::to_string(shown.size()) + " " + shown;
  }
  return kafka::ContentHash(0, std::nullopt, text);
}

Status RowHasher::HashRows(const TableRows& rows, std::map<int64_t, int64_t>* hashes) const {
  if (rows.layout == nullptr || rows.kafka_offset.empty()) return Status::OK();
  const BronzeLayout& layout = *rows.layout;
  Columns columns;
  for (int i = 0; i < rows.rows->num_columns(); ++i) {
    if (layout.IsPartitionColumn(i)) continue;
    const std::string& name = layout.column_names[static_cast<size_t>(i)];
    ARROW_ASSIGN_OR_RAISE(
        columns[name], AlignArray(rows.rows->column(i), layout.file->GetFieldByName(name)->type()));
  }
  for (size_t row = 0; row < rows.kafka_offset.size(); ++row) {
    ARROW_ASSIGN_OR_RAISE((*hashes)[rows.kafka_offset[row]],
                          Hash(layout.table.path, columns, static_cast<int64_t>(row)));
  }
  return Status::OK();
}

}  // namespace shopstream::ingest
