#include "base/table_printer.h"

#include <arrow/util/logging.h>
#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/json.h"

namespace shopstream {
namespace {

// Terminal columns: one per code point is accurate enough for what we print.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

struct Column {
  size_t width = 0;
  bool right = true;  // Until a non-numeric cell is seen.
};

std::string Align(const std::string& text, const Column& column) {
  const std::string padding(column.width - std::min(column.width, Width(text)), ' ');
  return column.right ? padding + text : text + padding;
}

}  // namespace

Cell::Cell(const nlohmann::json& value) {
  if (value.is_null()) return;
  if (value.is_boolean()) {
    value_ = value.get<bool>();
  } else if (value.is_string()) {
    value_ = value.get<std::string>();
  } else if (value.is_number_float()) {
    value_ = value.get<double>();
  } else if (value.is_number()) {
    value_ = value.get<int64_t>();
  } else {
    value_ = JsonValue(value);
  }
}

bool Cell::IsLeftAligned() const {
  return !std::holds_alternative<std::nullptr_t>(value_) &&
         !std::holds_alternative<int64_t>(value_) && !std::holds_alternative<double>(value_);
}

std::string Cell::Text() const {
  if (std::holds_alternative<std::nullptr_t>(value_)) return "-";
  if (const auto* text = std::get_if<std::string>(&value_)) return Printable(*text);
  if (const auto* number = std::get_if<double>(&value_)) return fmt::format("{:.6g}", *number);
  return Printable(Json());
}

std::string Cell::Json() const {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, JsonValue>) {
          return DumpJson(*value);
        } else {
          return DumpJson(nlohmann::json(value));
        }
      },
      value_);
}

TablePrinter::TablePrinter(std::vector<std::string> columns) : columns_(std::move(columns)) {}

void TablePrinter::AddRow(std::vector<Cell> cells) {
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
      line.push_back(row[c].Text());
      layout[c].width = std::max(layout[c].width, Width(line.back()));
      if (row[c].IsLeftAligned()) layout[c].right = false;
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
      out << (c == 0 ? "" : ",") << DumpJson(nlohmann::json(columns_[c])) << ':'
          << rows_[r][c].Json();
    }
    out << '}';
  }
  out << (rows_.empty() ? "]\n" : "\n]\n");
}

}  // namespace shopstream
