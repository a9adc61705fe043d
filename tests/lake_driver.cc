// Writes and reads tables of the lake for tests/test_lake.py, which compares them with other
// readers and writers. Rows are passed as an Arrow IPC stream.
//
//   lake_driver append LAKE TABLE [COLUMN,COLUMN...] < rows  one commit per batch, partitioned
//   lake_driver extend LAKE TABLE [COLUMN,COLUMN...] < rows  the same; adds columns to the table
//   lake_driver read LAKE TABLE > rows
//   lake_driver remove LAKE TABLE PATH                       one live file
//   lake_driver match LAKE TABLE VERSION < conditions        each condition's number with the ids that are read for it
//                                                            (column, operator, value as in a partition; not filtered)

#include <arrow/array.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "lake/store/object_store.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/parquet_file.h"
#include "lake/parquet/partition_path.h"
#include "lake/delta/table.h"
#include "lake/delta/table_at.h"

namespace shopstream::lake {
namespace {

using Arguments = std::vector<std::string>;

Status Commit(Table* table, const Changes& changes) {
  ARROW_ASSIGN_OR_RAISE(const CommitResult result,
                        table->Commit(Unconditionally(changes), BootClock::now() + std::chrono::seconds(30)));
  if (result.outcome == CommitOutcome::kCommitted) return Status::OK();
  return Status::IOError("not committed: ", result.detail);
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

// The positions of each partition's rows.
Result<std::map<PartitionValues, std::vector<int32_t>>> Partitions(
    const arrow::RecordBatch& batch, const std::vector<std::string>& columns) {
  std::map<PartitionValues, std::vector<int32_t>> partitions;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    PartitionValues values;
    for (const std::string& column : columns) {
      ARROW_ASSIGN_OR_RAISE(const auto scalar, batch.GetColumnByName(column)->GetScalar(i));
      ARROW_ASSIGN_OR_RAISE(auto text, FormatPartitionValue(*scalar));
      values.emplace_back(column, std::move(text));
    }
    partitions[std::move(values)].push_back(static_cast<int32_t>(i));
  }
  return partitions;
}

Result<std::shared_ptr<arrow::RecordBatch>> WithoutColumns(
    std::shared_ptr<arrow::RecordBatch> batch, const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    ARROW_ASSIGN_OR_RAISE(batch, batch->RemoveColumn(batch->schema()->GetFieldIndex(column)));
  }
  return batch;
}

Status Append(ObjectStore* store, const Arguments& arguments, bool extend) {
  arrow::io::StdinStream input;
  ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(&input));
  TableSpec spec;
  spec.path = arguments[1];
  spec.schema = reader->schema();
  if (arguments.size() > 2) spec.partition_columns = SplitAtCommas(arguments[2]);
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        extend ? Table::Open(store, spec.path) : Table::OpenOrCreate(store, spec));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return Status::OK();
    Changes changes;
    changes.written_since = BootClock::now();
    if (extend) changes.growth = TableGrowth{spec.schema, {}};
    changes.txns["driver"] = table->snapshot()->Txn("driver").value_or(0) + 1;
    ARROW_ASSIGN_OR_RAISE(const auto rows, WithoutColumns(batch, spec.partition_columns));
    ARROW_ASSIGN_OR_RAISE(const auto partitions, Partitions(*batch, spec.partition_columns));
    for (const auto& [values, positions] : partitions) {
      ARROW_ASSIGN_OR_RAISE(changes.adds.emplace_back(),
                            WriteDataFile(store, spec.path, values, rows, positions));
    }
    ARROW_RETURN_NOT_OK(Commit(table.get(), changes));
  }
}

Status Read(ObjectStore* store, const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto table, Table::Open(store, arguments[1]));
  const auto snapshot = table->snapshot();
  arrow::io::StdoutStream output;
  ARROW_ASSIGN_OR_RAISE(const auto writer,
                        arrow::ipc::MakeStreamWriter(&output, snapshot->schema()));
  for (const DataFile& file : snapshot->Files()) {
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          ReadDataFile(store, arguments[1], file, snapshot->schema()));
    ARROW_RETURN_NOT_OK(writer->WriteTable(*rows));
  }
  return writer->Close();
}

Status Remove(ObjectStore* store, const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto table, Table::Open(store, arguments[1]));
  Changes changes;
  changes.operation = "DELETE";
  changes.removes.emplace_back().path = arguments[2];
  return Commit(table.get(), changes);
}

Result<FilePredicate> PredicateOf(const arrow::Schema& schema, const std::string& column,
                                  const std::string& sign, const std::string& text) {
  ColumnRange range = {.column = column};
  range.is_null = sign == "is null";
  if (sign.starts_with("is ")) return range;
  ARROW_ASSIGN_OR_RAISE(auto value, ParsePartitionValue(text, schema.GetFieldByName(column)->type()));
  if (sign != "<" && sign != "<=") range.least = value;
  if (sign != ">" && sign != ">=") range.most = value;
  range.above = sign == ">";
  range.below = sign == "<";
  return range;
}

Status Match(ObjectStore* store, const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot,
                        SnapshotAt(store, arguments[1], std::stoll(arguments[2])));
  const auto files = snapshot->Files();
  const auto ids = arrow::schema({snapshot->schema()->GetFieldByName("id")});
  arrow::io::StdinStream input;
  ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(&input));
  ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
  const auto text = [&batch](int column, int64_t i) {
    return static_cast<const arrow::StringArray&>(*batch->column(column)).GetString(i);
  };
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const FilePredicate predicate,
                          PredicateOf(*snapshot->schema(), text(0, i), text(1, i), text(2, i)));
    for (const DataFile& file : files) {
      if (!predicate.MayMatch(file)) continue;
      ARROW_ASSIGN_OR_RAISE(const auto data, DataFileReader::Open(store, arguments[1], file, ids,
                                                                  StreamMemory(), predicate));
      for (;;) {
        ARROW_ASSIGN_OR_RAISE(const auto rows, data->Next());
        if (rows == nullptr) break;
        const auto& found = static_cast<const arrow::Int64Array&>(*rows->column(0));
        for (int64_t row = 0; row < found.length(); ++row) {
          std::cout << i << ' ' << found.Value(row) << '\n';
        }
      }
    }
  }
  return Status::OK();
}

Status Run(const std::string& command, const Arguments& arguments) {
  Config config;
  config.lake.uri = arguments[0];
  ARROW_ASSIGN_OR_RAISE(const auto store, OpenObjectStore(config));
  if (command == "append") return Append(store.get(), arguments, false);
  if (command == "extend") return Append(store.get(), arguments, true);
  if (command == "read") return Read(store.get(), arguments);
  if (command == "match" && arguments.size() == 3) return Match(store.get(), arguments);
  if (command == "remove" && arguments.size() == 3) return Remove(store.get(), arguments);
  return Status::Invalid("unknown command ", command);
}

}  // namespace
}  // namespace shopstream::lake

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: lake_driver append|extend|read|remove|match LAKE TABLE [...]\n";
    return 2;
  }
  const auto status =
      shopstream::lake::Run(argv[1], shopstream::lake::Arguments(argv + 2, argv + argc));
  shopstream::lake::ShutdownObjectStores();
  if (status.ok()) return 0;
  std::cerr << status.message() << "\n";
  return 1;
}
