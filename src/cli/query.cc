#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/number.h"
#include "base/shutdown.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/query_output.h"
#include "lake/store/object_store.h"
#include "sql/catalog.h"
#include "sql/engine.h"

namespace shopstream::cli {
namespace {

using nlohmann::ordered_json;

struct QueryFlags {
  std::string sql;
  std::optional<std::string> file;
  std::optional<std::string> output;
  QueryFormat format = QueryFormat::kTable;
  sql::ReadVersions versions;
  std::vector<std::string> table_versions;  // Added to `versions` by CheckFlags.
};

// "bronze_events=4711"
Status AddVersion(const std::string& text, sql::ReadVersions* versions) {
  const size_t equals = text.rfind('=');
  const auto version =
      equals == std::string::npos ? std::nullopt : ParseWhole<int64_t>(text.substr(equals + 1));
  if (!version || *version < 0 || equals == 0) {
    return Status::Invalid("'", text, "' is not NAME=VERSION, such as bronze_events=4711");
  }
  versions->tables[text.substr(0, equals)] = *version;
  return Status::OK();
}

// While it lives, Ctrl-C stops the session's statement instead of waiting for its end.
class StopsOnShutdown {
 public:
  explicit StopsOnShutdown(sql::Session* session)
      : watcher_([this, session] {
          constexpr Millis kPause{50};
          while (!done_.WaitFor(kPause)) {
            if (ShutdownRequested()) session->Interrupt();
          }
        }) {}
  ~StopsOnShutdown() {
    done_.Request();
    watcher_.join();
  }

 private:
  StopSource done_;
  std::thread watcher_;  // Last: it uses the others.
};

Result<sql::SqlText> ReadSql(const QueryFlags& flags) {
  if (!flags.file) return sql::SqlText{flags.sql, "", 1};
  const auto all = [](std::istream& in) {
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  if (*flags.file == "-") return sql::SqlText{all(std::cin), "stdin", 1};
  std::ifstream in(*flags.file, std::ios::binary);
  std::string text = all(in);
  if (!in) return Status::IOError("cannot read ", *flags.file);
  return sql::SqlText{std::move(text), *flags.file, 1};
}

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
  ordered_json tables = ordered_json::array();
  for (const auto& [name, table] : catalog.open()) {
    const sql::ReadStats stats = table.rows->stats();
    tables.push_back({{"name", name},
                      {"table", table.path},
                      {"version", table.version},
                      {"pass", table.pass ? ordered_json(*table.pass) : ordered_json()},
                      {"files", stats.files},
                      {"files_read", stats.files_read},
                      {"bytes_read", stats.bytes_read}});
  }
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
          {"tables", std::move(tables)}};
}

Status PrintResult(const Context& context, const QueryFlags& flags, sql::Query* query,
                   const sql::Catalog& catalog, BootClock::time_point start) {
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
  std::cerr << Footer(printed, MillisSince(start), catalog) << '\n';
  return Status::OK();
}

// The remedy of a query that needs too much memory is ours, not DuckDB's.
Status WithRemedy(const Status& status, const Config& config) {
  if (!status.IsOutOfMemory()) return status;
  return status.WithMessage(status.message(), "; raise query.memory_limit_mb (",
                            config.query.memory_limit_mb, "), or read fewer columns and rows");
}

Result<int> RunQuery(const Context& context, const QueryFlags& flags) {
  const BootClock::time_point start = BootClock::now();
  std::signal(SIGPIPE, SIG_IGN);  // Whoever reads our output may end first: it is an error below.
  if (context.json && flags.output) {
    return Status::Invalid("--json prints to standard output: write a file with --format json");
  }
  ARROW_ASSIGN_OR_RAISE(const sql::SqlText text, ReadSql(flags));
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto catalog,
                        sql::Catalog::Open(store.get(), context.config, flags.versions));
  sql::EngineOptions options;
  options.memory_bytes = context.config.query.memory_limit_mb << 20;
  options.threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
  ARROW_ASSIGN_OR_RAISE(const auto engine, sql::Engine::Open(options));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  ARROW_RETURN_NOT_OK(catalog->Register(text.text, session.get()));
  const StopsOnShutdown stops(session.get());
  auto prepared = session->Prepare(text);
  if (!prepared.ok()) return catalog->Explained(prepared.status());
  const bool for_people = flags.format == QueryFormat::kTable && !context.json && !flags.output;
  if (prepared->size() > 1 && !for_people) {
    return Status::Invalid("there are ", prepared->size(),
                           " statements, and this output has room for one: give one, or print "
                           "them as tables");
  }
  for (size_t i = 0; i < prepared->size(); ++i) {
    if (ShutdownRequested()) return Status::Cancelled("the query was interrupted");
    if (i > 0) std::cout << '\n';
    sql::Query& query = (*prepared)[i];
    ARROW_RETURN_NOT_OK(catalog->NarrowTo(query.sql().text, session.get()));
    ARROW_RETURN_NOT_OK(
        WithRemedy(PrintResult(context, flags, &query, *catalog, start), context.config));
  }
  return kDone;
}

Status CheckFlags(QueryFlags* given) {
  const QueryFlags& flags = *given;
  if (flags.sql.empty() == !flags.file) {
    return Status::Invalid(
        "give a query in quotes, as in: shopstream query \"SELECT count(*) FROM bronze_events\"; "
        "or -f FILE");
  }
  if (flags.format == QueryFormat::kParquet && !flags.output) {
    return Status::Invalid("--format parquet needs --output FILE");
  }
  for (const std::string& text : flags.table_versions) {
    ARROW_RETURN_NOT_OK(AddVersion(text, &given->versions));
  }
  return Status::OK();
}

}  // namespace

Command QueryCommand() {
  auto flags = std::make_shared<QueryFlags>();
  return {.name = "query",
          .meaning = "Ask the lake's tables a question in SQL",
          .options = {{.name = "SQL",
                       .target = &flags->sql,
                       .meaning = "e.g. \"SELECT count(*) FROM bronze_events\"",
                       .value = "SQL"},
                      {.name = "-f,--file",
                       .target = &flags->file,
                       .meaning = "Read the SQL from a file; -: from standard input",
                       .value = "FILE"},
                      {.name = "--format",
                       .target = Storing(ParseQueryFormat, &flags->format),
                       .meaning = "table, csv, json, markdown, or parquet with --output",
                       .value = "FORMAT [table]"},
                      {.name = "-o,--output",
                       .target = &flags->output,
                       .meaning = "Write the result to a file",
                       .value = "FILE"},
                      {.name = "--as-of",
                       .target = Storing(ParseTimestamp, &flags->versions.as_of_ms),
                       .meaning = "Read each table's newest version at this time (ISO 8601, UTC)",
                       .value = "TIME"},
                      {.name = "--version",
                       .target = &flags->table_versions,
                       .meaning = "Read this version of a table; repeatable",
                       .value = "NAME=N"}},
          .run = Running(flags, RunQuery),
          .check = [flags] { return CheckFlags(flags.get()); }};
}

}  // namespace shopstream::cli
