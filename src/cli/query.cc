#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/number.h"
#include "base/read_file.h"
#include "base/shutdown.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/query_prompt.h"
#include "cli/query_run.h"
#include "lake/store/object_store.h"

namespace shopstream::cli {
namespace {

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

// Standard input to its end. Cancelled: a stop was requested meanwhile.
Result<std::string> ReadInput() {
  constexpr int kPauseMs = 100;
  std::string text;
  std::array<char, 65'536> piece;
  while (!ShutdownRequested()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kPauseMs) <= 0) continue;
    const ssize_t size = read(STDIN_FILENO, piece.data(), piece.size());
    if (size == 0) return text;
    if (size > 0) text.append(piece.data(), static_cast<size_t>(size));
    if (size < 0 && errno != EINTR) {
      return Status::IOError("cannot read standard input: ", std::strerror(errno));
    }
  }
  return Status::Cancelled("interrupted while reading standard input");
}

Result<sql::SqlText> ReadSql(const QueryFlags& flags) {
  if (!flags.sql.empty()) return sql::SqlText{flags.sql, "", 1};
  if (flags.file.value_or("-") == "-") {
    ARROW_ASSIGN_OR_RAISE(std::string text, ReadInput());
    return sql::SqlText{std::move(text), "stdin", 1};
  }
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadFile(*flags.file));
  return sql::SqlText{std::move(text), *flags.file, 1};
}

Result<int> RunQuery(const Context& context, const QueryFlags& flags) {
  std::signal(SIGPIPE, SIG_IGN);  // Whoever reads our output may end first: it is an error below.
  if (context.json && flags.output) {
    return Status::Invalid("--json prints to standard output: write a file with --format json");
  }
  const bool asked = !flags.sql.empty() || flags.file;
  if (!asked && isatty(STDIN_FILENO) == 1) return RunPrompt(context, flags);
  ARROW_ASSIGN_OR_RAISE(const sql::SqlText text, ReadSql(flags));
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_RETURN_NOT_OK(
      RunSql(context, flags, store.get(), text, {.stop = ShutdownRequested, .footer = true}));
  return kDone;
}

Status CheckFlags(QueryFlags* given) {
  const QueryFlags& flags = *given;
  if (!flags.sql.empty() && flags.file) return Status::Invalid("give a query or a file, not both");
  if (flags.format == QueryFormat::kParquet && !flags.output) {
    return Status::Invalid("--format parquet needs --output FILE");
  }
  given->versions.with_archives = !flags.no_archive;
  for (const std::string& text : flags.table_versions) {
    ARROW_RETURN_NOT_OK(AddVersion(text, &given->versions));
  }
  return Status::OK();
}

}  // namespace

Command QueryCommand() {
  auto flags = std::make_shared<QueryFlags>();
  return {.name = "query",
          .meaning = "Ask the lake's tables a question in SQL; without one, a prompt",
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
                       .value = "NAME=N"},
                      {.name = "--no-archive",
                       .target = &flags->no_archive,
                       .meaning = "Leave out rows that `table archive` moved to another place"}},
          .run = Running(flags, RunQuery),
          .check = [flags] { return CheckFlags(flags.get()); }};
}

}  // namespace shopstream::cli
