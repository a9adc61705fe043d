#include "base/table_printer.h"

#include <arrow/util/logging.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shopstream {
namespace {

std::string Dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string CellText(const nlohmann::json& cell) {
  if (cell.is_null()) return "-";
  if (cell.is_string()) return Printable(cell.get_ref<const std::string&>());
  if (cell.is_number_float()) return fmt::format("{:.6g}", cell.get<double>());
  return Printable(Dump(cell));
}

// Columns on a terminal: one per code point is near enough for what we print.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

struct Column {
  size_t width = 0;
  bool right = true;  // Until a cell that is no number is seen.
};

std::string Align(const std::string& text, const Column& column) {
  const std::string padding(column.width - std::min(column.width, Width(text)), ' ');
  return column.right ? padding + text : text + padding;
}

}  // namespace

TablePrinter::TablePrinter(std::vector<std::string> columns) : columns_(std::move(columns)) {}

void TablePrinter::AddRow(std::vector<nlohmann::json> cells) {
  ARROW_CHECK_EQ(cells.size(), columns_.size()) << "a table row needs a cell for each column";
  rows_.push_back(std::move(cells));
}

void TablePrinter::Print(std::ostream& out, bool as_json) const {
  as_json ? PrintJson(out) : PrintText(out);
}

void TablePrinter::PrintText(std::ostream& out) const {
  std::vector<std::vector<std::string>> lines = {columns_};
  std::vector<Column> layout(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) layout[c] = {Width(columns_[c]), !rows_.empty()};
  for (const auto& row : rows_) {
    std::vector<std::string>& line = lines.emplace_back();
    for (size_t c = 0; c < row.size(); ++c) {
      line.push_back(CellText(row[c]));
      layout[c].width = std::max(layout[c].width, Width(line.back()));
      if (!row[c].is_number() && !row[c].is_null()) layout[c].right = false;
    }
  }
  for (const auto& line : lines) {
    std::string text;
    for (size_t c = 0; c < line.size(); ++c) {
      text += (c == 0 ? "" : "  ") + Align(line[c], layout[c]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  }
}

void TablePrinter::PrintJson(std::ostream& out) const {
  out << '[';
  for (size_t r = 0; r < rows_.size(); ++r) {
    out << (r == 0 ? "\n{" : ",\n{");
    for (size_t c = 0; c < columns_.size(); ++c) {
      out << (c == 0 ? "" : ",") << Dump(columns_[c]) << ':' << Dump(rows_[r][c]);
    }
    out << '}';
  }
  out << (rows_.empty() ? "]\n" : "\n]\n");
}

}  // namespace shopstream
