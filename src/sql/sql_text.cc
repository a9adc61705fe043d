#include "sql/sql_text.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>

#include "base/error_kind.h"
#include "base/number.h"

namespace shopstream::sql {
namespace {

constexpr std::string_view kLine = "LINE ";
constexpr std::string_view kInterrupted = "INTERRUPT Error";
constexpr std::string_view kOutOfMemory = "Out of Memory Error";
constexpr std::string_view kIoError = "IO Error";
constexpr std::string_view kSpillLimit = "failed to offload";  // Most of the free disk is used.
// Begins the advice about settings.
constexpr std::string_view kAdvice[] = {"Possible solutions:", "This limit was set by the",
                                        "See https://"};

std::optional<int> LineNumber(std::string_view line) {
  line.remove_prefix(kLine.size());
  return ParseWhole<int>(line.substr(0, line.find(':')));
}

bool IsAdvice(std::string_view line) {
  return std::ranges::any_of(kAdvice,
                             [&](std::string_view start) { return line.starts_with(start); });
}

bool IsMarker(std::string_view line) {
  return line.find_first_not_of(' ') != std::string_view::npos &&
         line.find_first_not_of(" ^") == std::string_view::npos;
}

}  // namespace

Status SqlError(const std::string& message, const SqlText& sql, const std::string& spill_folder) {
  if (message.starts_with(kInterrupted)) return Status::Cancelled("the query was interrupted");
  std::string text;
  std::optional<int> at;
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    if (IsAdvice(line)) break;
    if (line.starts_with(kLine) && LineNumber(line)) {
      at = *LineNumber(line);
    } else if (!line.empty() && !IsMarker(line)) {
      text += (text.empty() ? "" : " ") + line;
    }
  }
  const int line = sql.first_line + at.value_or(1) - 1;
  const bool has_lines = sql.text.find('\n') != std::string::npos;
  if (!sql.file.empty()) {
    text = sql.file + ":" + (at ? std::to_string(line) + ": " : " ") + text;
  } else if (at && has_lines) {
    text = "line " + std::to_string(line) + ": " + text;
  }
  const auto names = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  if ((message.starts_with(kIoError) && names(spill_folder)) || names(kSpillLimit)) {
    return Unavailable("rows that do not fit into memory cannot be kept in ", spill_folder, ": ",
                       text, "; free space there, or set TMPDIR to a larger folder");
  }
  return message.starts_with(kOutOfMemory) ? Status::OutOfMemory(text) : Status::Invalid(text);
}

}  // namespace shopstream::sql
