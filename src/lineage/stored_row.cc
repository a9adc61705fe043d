#include "lineage/stored_row.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/partition_path.h"
#include "tables/columns.h"
#include "tables/coordinates.h"

namespace shopstream::lineage {
namespace {

lake::ColumnRange Exactly(std::string column, const std::shared_ptr<arrow::Scalar>& value) {
  return {.column = std::move(column), .least = value, .most = value};
}

// One search of one table.
class Search {
 public:
  Search(lake::ObjectStore* store, const std::string& table, const lake::Snapshot& snapshot,
         const RowSearch& search)
      : store_(store), table_(table), snapshot_(snapshot), search_(search) {}

  Result<std::vector<StoredRow>> Run() {
    arrow::FieldVector fields;
    for (const std::string& name : search_.columns) {
      const auto field = snapshot_.schema()->GetFieldByName(name);
      if (field == nullptr) return std::vector<StoredRow>();
      fields.push_back(field);
    }
    const auto columns = arrow::schema(std::move(fields));
    for (const DataFile& file : Candidates()) {
      if (search_.stop()) return Status::Cancelled("the search of ", table_, " was stopped");
      ARROW_RETURN_NOT_OK(SearchFile(file, columns));
      if (found_.size() >= search_.limit) break;
    }
    return std::move(found_);
  }

 private:
  // Newest first.
  std::vector<DataFile> Candidates() const {
    std::vector<DataFile> files;
    snapshot_.VisitFiles([&](const DataFile& file) {
      if (!search_.where.MayMatch(file)) return;
      files.push_back(file);
      files.back().statistics.clear();
    });
    std::ranges::sort(files, [](const DataFile& a, const DataFile& b) {
      return std::tie(b.modified_ms, a.path) < std::tie(a.modified_ms, b.path);
    });
    return files;
  }

  Status SearchFile(const DataFile& file, const std::shared_ptr<arrow::Schema>& columns) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, lake::DataFileReader::Open(
                                                 store_, table_, file, columns, {}, search_.where));
    const auto& groups = reader->row_groups();
    size_t group = 0;
    int64_t row = 0;  // Of the group.
    while (found_.size() < search_.limit) {
      if (search_.stop()) return Status::Cancelled("the search of ", table_, " was stopped");
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(const auto matching, search_.matches(*batch));
      int64_t passed = 0;
      for (const int32_t position : matching) {
        Advance(groups, position - passed, &group, &row);
        passed = position;
        ARROW_RETURN_NOT_OK(Take(file, groups[group].index, row));
        if (found_.size() >= search_.limit) return Status::OK();
      }
      Advance(groups, batch->num_rows() - passed, &group, &row);
    }
    return Status::OK();
  }

  // Moves on by some rows, across row groups.
  static void Advance(const std::vector<lake::DataFileReader::RowGroup>& groups, int64_t rows,
                      size_t* group, int64_t* row) {
    *row += rows;
    while (*group + 1 < groups.size() && *row >= groups[*group].rows) {
      *row -= groups[*group].rows;
      ++*group;
    }
  }

  Status Take(const DataFile& file, int row_group, int64_t position) {
    StoredRow& found = found_.emplace_back();
    found.place = {.table = table_,
                   .version = snapshot_.version(),
                   .path = file.path,
                   .file_rows = file.rows,
                   .file_bytes = file.size_bytes,
                   .row_group = row_group,
                   .position = position};
    ARROW_ASSIGN_OR_RAISE(found.row, ReadRow(file, row_group, position));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> ReadRow(const DataFile& file, int row_group,
                                                      int64_t position) const {
    const auto& partition_columns = snapshot_.partition_columns();
    const auto is_stored = [&](const auto& field) {
      return std::ranges::count(partition_columns, field->name()) == 0;
    };
    arrow::FieldVector stored;
    std::ranges::copy_if(snapshot_.schema()->fields(), std::back_inserter(stored), is_stored);
    ARROW_ASSIGN_OR_RAISE(const auto reader,
                          lake::DataFileReader::OpenRowGroups(
                              store_, table_, file, arrow::schema(stored), {}, {row_group}));
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) {
        return Status::Invalid(table_, "/", file.path, " has no row ", position, " in row group ",
                               row_group);
      }
      if (position < batch->num_rows()) return WithPartition(file, *batch->Slice(position, 1));
      position -= batch->num_rows();
    }
  }

  Result<std::shared_ptr<arrow::RecordBatch>> WithPartition(const DataFile& file,
                                                            const arrow::RecordBatch& row) const {
    arrow::ArrayVector columns;
    for (const auto& field : snapshot_.schema()->fields()) {
      const auto& values = file.partition_values;
      const auto value =
          std::ranges::find_if(values, [&](const auto& one) { return one.first == field->name(); });
      if (value == values.end()) {
        columns.push_back(row.GetColumnByName(field->name()));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const auto scalar,
                            lake::ParsePartitionValue(value->second, field->type()));
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::MakeArrayFromScalar(*scalar, 1));
    }
    return arrow::RecordBatch::Make(snapshot_.schema(), 1, std::move(columns));
  }

  lake::ObjectStore* const store_;
  const std::string& table_;
  const lake::Snapshot& snapshot_;
  const RowSearch& search_;
  std::vector<StoredRow> found_;
};

}  // namespace

Result<std::vector<StoredRow>> FindRows(lake::ObjectStore* store, const std::string& table,
                                        const lake::Snapshot& snapshot, const RowSearch& search) {
  return Search(store, table, snapshot, search).Run();
}

Result<std::vector<StoredRow>> FindRecord(lake::ObjectStore* store, const std::string& table,
                                          const lake::Snapshot& snapshot, const RecordKey& key,
                                          const std::function<bool()>& stop) {
  RowSearch search;
  search.where = MayHave(key);
  search.columns = tables::CoordinateColumns::Names();
  search.matches = [&key](const arrow::RecordBatch& rows) {
    return tables::FindRows(rows, [&key](const std::optional<tables::Coordinates>& at) {
      return at && at->partition == key.partition && at->offset == key.offset &&
             (key.topic_id.empty() || at->topic_id == key.topic_id);
    });
  };
  search.stop = stop;
  return FindRows(store, table, snapshot, search);
}

lake::FilePredicate MayHave(const RecordKey& key) {
  std::vector<lake::FilePredicate> parts = {
      Exactly(tables::kPartition, arrow::MakeScalar(key.partition)),
      Exactly(tables::kOffset, arrow::MakeScalar(key.offset))};
  if (!key.topic_id.empty()) parts.push_back(HasText(tables::kTopicId, key.topic_id));
  return lake::FilePredicate::AllOf(std::move(parts));
}

lake::FilePredicate HasText(const std::string& column, const std::string& text) {
  return Exactly(column, arrow::MakeScalar(text));
}

std::vector<int32_t> RowsWithText(const arrow::RecordBatch& rows, const std::string& column,
                                  const std::string& text) {
  std::vector<int32_t> found;
  const auto values = std::dynamic_pointer_cast<arrow::StringArray>(rows.GetColumnByName(column));
  for (int64_t row = 0; values != nullptr && row < values->length(); ++row) {
    if (values->IsValid(row) && values->GetView(row) == text) {
      found.push_back(static_cast<int32_t>(row));
    }
  }
  return found;
}

}  // namespace shopstream::lineage
