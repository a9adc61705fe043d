#include "cli/query_output.h"

#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/table_printer.h"
#include "sql/csv.h"
#include "sql/value_text.h"

namespace shopstream::cli {
namespace {

using Rows = std::shared_ptr<arrow::RecordBatch>;

// SQL allows two columns of the same name; objects and files do not.
std::vector<std::string> DistinctNames(const arrow::Schema& schema) {
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (const auto& field : schema.fields()) {
    std::string name = field->name();
    for (int i = 1; !taken.insert(name).second; ++i) name = field->name() + "_" + std::to_string(i);
    names.push_back(std::move(name));
  }
  return names;
}

// Calls `print` with each batch until the end, an error, or an output that takes no more.
template <typename Print>
Result<PrintedRows> ForEachBatch(sql::RowStream* stream, const std::ostream& out,
                                 const Print& print) {
  PrintedRows printed;
  while (out) {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, stream->Next());
    if (rows == nullptr) return printed;
    ARROW_RETURN_NOT_OK(print(*rows));
    printed.rows += rows->num_rows();
  }
  printed.all = false;
  return printed;
}

// --- For people.

Cell CellOf(const arrow::Array& values, int64_t row) {
  if (values.IsNull(row)) return nullptr;
  std::string text = sql::ValueText(values, row);
  return sql::IsNumber(*values.type()) ? Cell::Number(std::move(text)) : Cell(std::move(text));
}

// The first kShownRows rows.
Result<PrintedRows> ReadShown(sql::RowStream* stream, std::vector<std::vector<Cell>>* shown) {
  PrintedRows printed;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, stream->Next());
    if (rows == nullptr) return printed;
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      if (printed.rows == kShownRows) {
        printed.all = false;
        return printed;
      }
      std::vector<Cell>& cells = shown->emplace_back();
      for (const auto& column : rows->columns()) cells.push_back(CellOf(*column, row));
      ++printed.rows;
    }
  }
}

Result<PrintedRows> PrintTable(sql::RowStream* stream, std::ostream& out) {
  std::vector<std::vector<Cell>> rows;
  ARROW_ASSIGN_OR_RAISE(const PrintedRows printed, ReadShown(stream, &rows));
  std::vector<std::string> names;
  for (const auto& field : stream->schema()->fields()) names.push_back(Printable(field->name()));
  TablePrinter printer(std::move(names));
  for (auto& cells : rows) printer.AddRow(std::move(cells));
  printer.Print(out, /*as_json=*/false);
  return printed;
}

std::string MarkdownCell(const std::string& text) {
  std::string cell;
  for (const char c : Printable(text)) cell += c == '|' ? "\\|" : std::string(1, c);
  return cell;
}

Result<PrintedRows> PrintMarkdown(sql::RowStream* stream, std::ostream& out) {
  std::vector<std::vector<Cell>> rows;
  ARROW_ASSIGN_OR_RAISE(const PrintedRows printed, ReadShown(stream, &rows));
  std::string names = "|", rule = "|";
  for (const auto& field : stream->schema()->fields()) {
    names += " " + MarkdownCell(field->name()) + " |";
    rule += sql::IsNumber(*field->type()) ? "---:|" : "---|";
  }
  out << names << '\n' << rule << '\n';
  for (const auto& cells : rows) {
    out << '|';
    for (const Cell& cell : cells) out << ' ' << MarkdownCell(cell.Text()) << " |";
    out << '\n';
  }
  return printed;
}

// --- For programs.

Result<PrintedRows> PrintCsv(sql::RowStream* stream, std::ostream& out) {
  out << sql::CsvHeader(*stream->schema());
  return ForEachBatch(stream, out, [&](const arrow::RecordBatch& rows) {
    out << sql::CsvLines(rows);
    return Status::OK();
  });
}

// A list of objects, one per line.
Result<PrintedRows> PrintJsonList(sql::RowStream* stream, std::ostream& out) {
  std::vector<std::string> names;
  for (const std::string& name : DistinctNames(*stream->schema())) {
    names.push_back(DumpJson(nlohmann::json(name)));
  }
  std::string before = "[\n";
  ARROW_ASSIGN_OR_RAISE(const PrintedRows printed,
                        ForEachBatch(stream, out, [&](const arrow::RecordBatch& rows) {
                          std::string lines;
                          for (int64_t row = 0; row < rows.num_rows(); ++row) {
                            lines += before + "{";
                            before = ",\n";
                            for (int i = 0; i < rows.num_columns(); ++i) {
                              lines += (i > 0 ? ", " : "") + names[static_cast<size_t>(i)] + ": " +
                                       sql::ValueJson(*rows.column(i), row);
                            }
                            lines += '}';
                          }
                          out << lines;
                          return Status::OK();
                        }));
  out << (printed.rows == 0 ? "[]" : "\n]");
  return printed;
}

Result<PrintedRows> WriteParquet(sql::RowStream* stream, const std::string& file) {
  ARROW_ASSIGN_OR_RAISE(const auto sink, arrow::io::FileOutputStream::Open(file));
  ARROW_ASSIGN_OR_RAISE(const auto schema,
                        stream->schema()->WithNames(DistinctNames(*stream->schema())));
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  ARROW_ASSIGN_OR_RAISE(
      const auto writer,
      parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), sink, properties));
  PrintedRows printed;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, stream->Next());
    if (rows == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(
        *arrow::RecordBatch::Make(schema, rows->num_rows(), rows->columns())));
    printed.rows += rows->num_rows();
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_RETURN_NOT_OK(sink->Close());
  return printed;
}

Result<PrintedRows> WriteText(sql::RowStream* stream, QueryFormat format, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  ARROW_ASSIGN_OR_RAISE(const PrintedRows printed, PrintRows(stream, format, out));
  out.close();
  if (!out) return Status::IOError("cannot write ", file, ": ", std::strerror(errno));
  return printed;
}

}  // namespace

Result<QueryFormat> ParseQueryFormat(const std::string& name) {
  constexpr std::pair<const char*, QueryFormat> kFormats[] = {{"table", QueryFormat::kTable},
                                                              {"csv", QueryFormat::kCsv},
                                                              {"json", QueryFormat::kJson},
                                                              {"markdown", QueryFormat::kMarkdown},
                                                              {"parquet", QueryFormat::kParquet}};
  for (const auto& [known, format] : kFormats) {
    if (name == known) return format;
  }
  return Status::Invalid("'", name, "' is not table, csv, json, markdown or parquet");
}

Result<PrintedRows> PrintRows(sql::RowStream* stream, QueryFormat format, std::ostream& out) {
  if (format == QueryFormat::kTable) return PrintTable(stream, out);
  if (format == QueryFormat::kMarkdown) return PrintMarkdown(stream, out);
  if (format == QueryFormat::kCsv) return PrintCsv(stream, out);
  ARROW_ASSIGN_OR_RAISE(const PrintedRows printed, PrintJsonList(stream, out));
  out << '\n';
  return printed;
}

Result<PrintedRows> PrintJsonMembers(sql::RowStream* stream, std::ostream& out) {
  nlohmann::ordered_json columns = nlohmann::ordered_json::array();
  for (const auto& field : stream->schema()->fields()) {
    columns.push_back({{"name", field->name()}, {"type", field->type()->ToString()}});
  }
  out << R"("columns": )" << DumpJson(columns) << ",\n\"rows\": ";
  return PrintJsonList(stream, out);
}

Result<PrintedRows> PrintRowsTo(sql::RowStream* stream, QueryFormat format,
                                const std::string& file) {
  std::error_code error;
  // A link stays, and what it leads to is replaced.
  const auto target = std::filesystem::weakly_canonical(file, error);
  if (error) return Status::IOError("cannot write ", file, ": ", error.message());
  if (std::filesystem::exists(target, error) && !std::filesystem::is_regular_file(target, error)) {
    return Status::Invalid(file, " is not a regular file; leave out --output to print to ",
                           "standard output");
  }
  const std::string partial = target.string() + "." + std::to_string(getpid()) + ".partial";
  auto printed = format == QueryFormat::kParquet ? WriteParquet(stream, partial)
                                                 : WriteText(stream, format, partial);
  if (printed.ok()) std::filesystem::rename(partial, target, error);
  if (printed.ok() && !error) return printed;
  std::error_code ignored;  // What failed first is reported.
  std::filesystem::remove(partial, ignored);
  if (!printed.ok()) return printed.status();
  return Status::IOError("cannot write ", file, ": ", error.message());
}

}  // namespace shopstream::cli
