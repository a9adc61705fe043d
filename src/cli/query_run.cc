#include "cli/query_run.h"

#include <algorithm>
#include <iostream>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "sql/engine.h"
#include "sql/statement_stop.h"

namespace shopstream::cli {
namespace {

using nlohmann::ordered_json;

int64_t MillisSince(BootClock::time_point start) {
  return std::chrono::duration_cast<Millis>(BootClock::now() - start).count();
}

bool IsComplete(const sql::Catalog::OpenTable& table, const sql::Catalog& catalog) {
  return table.pass && catalog.complete() && *table.pass == catalog.complete()->pass;
}

// Of the tables that refine fills.
std::string PassOf(const tables::CompletePass& complete) {
  if (complete.pass == 0) return "no pass is complete yet";
  std::string text = "pass " + FormatCount(complete.pass);
  if (complete.complete_through_ms) {
    text += ", complete through " + FormatTimestamp(*complete.complete_through_ms);
  }
  return text;
}

// What was read for a statement, and at which versions, for people.
std::string Footer(const PrintedRows& printed, int64_t millis, const sql::Catalog& catalog) {
  sql::ReadStats total;
  std::string versions, pass;
  for (const auto& [name, table] : catalog.open()) {
    const sql::ReadStats stats = table.rows->stats();
    total.files += stats.files;
    total.files_read += stats.files_read;
    total.bytes_read += stats.bytes_read;
    if (IsComplete(table, catalog)) {
      pass = " · " + PassOf(*catalog.complete());
    } else {
      versions += " · " + name + " at version " + FormatCount(table.version);
      if (table.pass) versions += " of pass " + FormatCount(*table.pass);
    }
    if (table.archive) {
      versions += " and its archive at version " + FormatCount(table.archive->second);
    }
  }
  std::string text =
      printed.all ? Counted(printed.rows, "row")
                  : "the first " + FormatCount(printed.rows) + " rows; --format csv prints all";
  text += " · " + FormatMillis(millis);
  if (!catalog.open().empty()) {
    text += " · " + FormatCount(total.files_read) + " of " + Counted(total.files, "file") + ", " +
            FormatBytes(total.bytes_read) + " read";
  }
  return text + pass + versions;
}

ordered_json StatisticsJson(int64_t millis, const sql::Catalog& catalog) {
  ordered_json pass, complete_through;
  if (const auto& complete = catalog.complete()) {
    pass = complete->pass;
    if (complete->complete_through_ms) {
      complete_through = FormatTimestamp(*complete->complete_through_ms);
    }
  }
  return {{"milliseconds", millis},
          {"pass", std::move(pass)},
          {"complete_through", std::move(complete_through)},
          {"tables", sql::OpenTablesJson(catalog)}};
}

Status PrintResult(const Context& context, const QueryFlags& flags, sql::Query* query,
                   const sql::Catalog& catalog, BootClock::time_point start, bool footer) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, query->Stream());
  if (context.json) {
    std::cout << "{";
    ARROW_RETURN_NOT_OK(PrintJsonMembers(stream.get(), std::cout).status());
    std::cout << ",\n\"statistics\": " << DumpJson(StatisticsJson(MillisSince(start), catalog))
              << "}\n";
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const PrintedRows printed,
                        flags.output ? PrintRowsTo(stream.get(), flags.format, *flags.output)
                                     : PrintRows(stream.get(), flags.format, std::cout));
  std::cout.flush();
  if (!std::cout) return Status::IOError("standard output was closed before the end of the result");
  if (footer) Log::Tell(LogLevel::kInfo, Footer(printed, MillisSince(start), catalog));
  return Status::OK();
}

// The remedy of a query that needs too much memory is ours, not DuckDB's.
Status WithRemedy(const Status& status, const Config& config) {
  if (!status.IsOutOfMemory()) return status;
  return status.WithMessage(status.message(), "; raise query.memory_limit_mb (",
                            config.query.memory_limit_mb, "), or read fewer columns and rows");
}

}  // namespace

Status RunSql(const Context& context, const QueryFlags& flags, lake::ObjectStore* store,
              const sql::SqlText& text, const QueryMode& mode) {
  const BootClock::time_point start = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(const auto catalog,
                        sql::Catalog::Open(store, context.config, flags.versions));
  sql::EngineOptions options;
  options.memory_bytes = context.config.query.memory_limit_mb << 20;
  options.threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
  ARROW_ASSIGN_OR_RAISE(const auto engine, sql::Engine::Open(options));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  ARROW_RETURN_NOT_OK(catalog->Register(text.text, session.get()));
  const sql::StopsWhenAsked stops(session.get(), mode.stop);
  auto prepared = session->Prepare(text);
  if (!prepared.ok()) return catalog->Explained(prepared.status());
  const bool for_people = flags.format == QueryFormat::kTable && !context.json && !flags.output;
  if (prepared->size() > 1 && !for_people) {
    return Status::Invalid("there are ", prepared->size(),
                           " statements, and this output has room for one: give one, or print "
                           "them as tables");
  }
  for (size_t i = 0; i < prepared->size(); ++i) {
    if (mode.stop()) return Status::Cancelled("the query was interrupted");
    if (i > 0) std::cout << '\n';
    sql::Query& query = (*prepared)[i];
    ARROW_RETURN_NOT_OK(catalog->NarrowTo(query.sql().text, session.get()));
    ARROW_RETURN_NOT_OK(WithRemedy(
        PrintResult(context, flags, &query, *catalog, start, mode.footer), context.config));
  }
  return Status::OK();
}

}  // namespace shopstream::cli
