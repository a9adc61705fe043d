#include "lake/delta/table.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "cli/table_commands.h"
#include "lake/delta/existing_table.h"
#include "lake/delta/table_history.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/reports.h"

namespace shopstream::cli {
namespace {

using nlohmann::json;

struct TableFlags {
  std::string name;
  int64_t limit = 20;
};

Cell RowsCell(int64_t rows, bool known) { return known ? Cell(rows) : Cell(nullptr); }

Cell SizeCell(int64_t bytes, bool as_json) {
  return as_json ? Cell(bytes) : Cell(FormatBytes(bytes));
}

// An unreadable table gets a line with the reason, so that it does not hide the others.
Result<int> ListTables(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto paths, lake::FindTables(store.get()));
  TablePrinter printer({"table", "version", "files", "rows", "bytes", "last_commit", "problem"});
  int exit_code = kDone;
  for (const std::string& path : paths) {
    const auto table = lake::Table::Open(store.get(), path);
    if (!table.ok()) {
      printer.AddRow({path, nullptr, nullptr, nullptr, nullptr, nullptr, table.status().message()});
      exit_code = kFailed;
      continue;
    }
    const auto snapshot = (*table)->snapshot();
    const lake::FileTotals totals = lake::Total(snapshot->Files());
    ARROW_ASSIGN_OR_RAISE(const auto newest, lake::ReadHistory(store.get(), path, 1));
    const bool known = !newest.empty() && newest[0].version == snapshot->version();
    printer.AddRow(
        {path, snapshot->version(), totals.files, RowsCell(totals.rows, totals.without_rows == 0),
         SizeCell(totals.bytes, context.json),
         known ? Cell(FormatTimestamp(newest[0].timestamp_ms)) : Cell(nullptr), nullptr});
  }
  if (paths.empty()) {
    return Status::KeyError("there are no tables in ", store->Describe(),
                            ": correct lake.uri, or create them with `shopstream ingest`");
  }
  printer.Print(std::cout, context.json);
  return exit_code;
}

std::string TxnsText(const std::map<std::string, int64_t>& txns) {
  std::string text;
  for (const auto& [app_id, version] : txns) {
    text += (text.empty() ? "" : " ") + Printable(app_id) + "=" + std::to_string(version);
  }
  return text;
}

Result<int> History(const Context& context, const TableFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  // Opening it first distinguishes a missing table from one whose entries are all cleaned up.
  ARROW_RETURN_NOT_OK(lake::OpenExisting(store.get(), flags.name).status());
  ARROW_ASSIGN_OR_RAISE(const auto records,
                        lake::ReadHistory(store.get(), flags.name, flags.limit));
  TablePrinter printer(
      {"version", "time", "operation", "by", "files_added", "files_removed", "rows", "txns"});
  for (const lake::VersionRecord& record : records) {
    printer.AddRow({record.version, FormatTimestamp(record.timestamp_ms),
                    Printable(record.operation), Printable(record.engine), record.files_added,
                    record.files_removed, record.rows_added,
                    context.json ? Cell(json(record.txns)) : Cell(TxnsText(record.txns))});
  }
  printer.Print(std::cout, context.json);
  return kDone;
}

Result<int> Files(const Context& context, const TableFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  const auto files = table->snapshot()->Files();
  TablePrinter printer({"path", "rows", "bytes"});
  for (const DataFile& file : files) {
    printer.AddRow({Printable(file.path), RowsCell(file.rows, file.rows >= 0),
                    SizeCell(file.size_bytes, context.json)});
  }
  printer.Print(std::cout, context.json);
  if (context.json) return kDone;
  const lake::FileTotals totals = lake::Total(files);
  std::cout << Counted(totals.files, "file") << ", " << Counted(totals.rows, "row") << ", "
            << FormatBytes(totals.bytes) << "; " << FormatCount(totals.small_files)
            << " of them are small (under " << FormatBytes(lake::SmallFileBytes()) << "), "
            << FormatBytes(totals.small_bytes) << " together\n";
  return kDone;
}

}  // namespace

Command TableCommand() {
  const auto flags = std::make_shared<TableFlags>();
  Command list{"list", "List all tables with size and last commit", {}, ListTables};
  Command history{"history",
                  "Show what each version of a table changed",
                  {TableNameOption(&flags->name),
                   {.name = "--limit",
                    .target = &flags->limit,
                    .meaning = "Maximum number of versions, newest first",
                    .value = "N",
                    .show_default = true,
                    .bounds = Bounds{1, int64_t{1} << 40}}},
                  Running(flags, History)};
  Command files{"files",
                "List the live files of a table",
                {TableNameOption(&flags->name)},
                Running(flags, Files)};
  return {.name = "table",
          .meaning = "Inspect and maintain tables",
          .commands = {std::move(list), TableDescribeCommand(), std::move(history),
                       std::move(files), TableVacuumCommand(), TableVerifyCommand(),
                       TableOptimizeCommand(), TableRepairCommand(), TableEraseCommand(),
                       TableRetainCommand(), TableArchiveCommand()}};
}

}  // namespace shopstream::cli
