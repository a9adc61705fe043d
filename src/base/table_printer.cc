#include "base/table_printer.h"

#include <arrow/util/logging.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <type_traits>
#include <utility>

#include "base/json.h"

namespace shopstream {
namespace {

constexpr size_t kGap = 2;         // Between columns.
constexpr size_t kNarrowest = 20;  // The least width of a column whose texts are broken.

struct Column {
  size_t width = 0;
  bool right = true;  // Until a non-numeric cell is seen.
};

const char* ColourOf(Cell::State state) {
  switch (state) {
    case Cell::State::kPlain:
      return "";
    case Cell::State::kGood:
      return "\x1b[32m";
    case Cell::State::kWarning:
      return "\x1b[33m";
    case Cell::State::kBad:
      return "\x1b[31m";
    case Cell::State::kUnknown:
      return "\x1b[35m";
  }
  return "";
}

std::string Coloured(const std::string& text, Cell::State state, const TerminalStyle& style) {
  if (!style.colour || state == Cell::State::kPlain || text.empty()) return text;
  return ColourOf(state) + text + "\x1b[0m";
}

size_t TotalWidth(const std::vector<Column>& layout) {
  size_t width = 0;
  for (const Column& column : layout) width += column.width + (width == 0 ? 0 : kGap);
  return width;
}

// Makes the widest text columns narrower until the table fits. False: it cannot.
bool Fit(std::vector<Column>* layout, size_t columns) {
  while (TotalWidth(*layout) > columns) {
    Column* widest = nullptr;
    for (Column& column : *layout) {
      if (column.right || column.width <= kNarrowest) continue;
      if (widest == nullptr || column.width > widest->width) widest = &column;
    }
    if (widest == nullptr) return false;
    --widest->width;
  }
  return true;
}

// One row's cells, each broken into lines.
void PrintLines(std::ostream& out, const std::vector<std::vector<std::string>>& cells,
                const std::vector<Cell::State>& states, const std::vector<Column>& layout,
                const TerminalStyle& style) {
  size_t lines = 1;
  for (const auto& cell : cells) lines = std::max(lines, cell.size());
  for (size_t line = 0; line < lines; ++line) {
    std::string text;
    size_t pending = 0;  // Spaces that are printed only if something follows.
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string part = line < cells[c].size() ? cells[c][line] : "";
      const size_t padding = layout[c].width - std::min(layout[c].width, DisplayWidth(part));
      const size_t before = layout[c].right ? padding : 0;
      if (part.empty()) {
        pending += before;
      } else {
        text.append(pending + before, ' ');
        text += Coloured(part, states[c], style);
        pending = 0;
      }
      pending += padding - before + kGap;
    }
    out << text << '\n';
  }
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

Cell Cell::Number(std::string text) {
  Cell cell(nullptr);
  cell.value_ = Digits{std::move(text)};
  return cell;
}

bool Cell::IsLeftAligned() const {
  return std::holds_alternative<bool>(value_) || std::holds_alternative<std::string>(value_) ||
         std::holds_alternative<JsonValue>(value_);
}

std::string Cell::Text() const {
  if (std::holds_alternative<std::nullptr_t>(value_)) return "-";
  if (const auto* text = std::get_if<std::string>(&value_)) return Printable(*text);
  if (const auto* digits = std::get_if<Digits>(&value_)) return digits->text;
  if (const auto* number = std::get_if<double>(&value_)) return fmt::format("{:.6g}", *number);
  return Printable(Json());
}

std::string Cell::Json() const {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, JsonValue>) {
          return DumpJson(*value);
        } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Digits>) {
          return value.text;
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
  if (as_json) return PrintJson(out);
  PrintText(out, &out == &std::cout ? StyleOf(STDOUT_FILENO) : TerminalStyle());
}

void TablePrinter::PrintText(std::ostream& out, const TerminalStyle& style) const {
  std::vector<Column> layout(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    layout[c] = {DisplayWidth(columns_[c]), !rows_.empty()};
    for (const auto& row : rows_) {
      layout[c].width = std::max(layout[c].width, DisplayWidth(row[c].Text()));
      if (row[c].IsLeftAligned()) layout[c].right = false;
    }
  }
  if (!Fit(&layout, style.columns)) return PrintBlocks(out, style);
  std::vector<std::vector<std::string>> cells;
  for (const std::string& column : columns_) cells.push_back({column});
  PrintLines(out, cells, std::vector(columns_.size(), Cell::State::kPlain), layout, style);
  for (const auto& row : rows_) {
    std::vector<Cell::State> states;
    for (size_t c = 0; c < row.size(); ++c) {
      cells[c] = WrapWords(row[c].Text(), layout[c].width);
      states.push_back(row[c].state());
    }
    PrintLines(out, cells, states, layout, style);
  }
}

// "name: value", a blank line between rows.
void TablePrinter::PrintBlocks(std::ostream& out, const TerminalStyle& style) const {
  size_t names = 0;
  for (const std::string& column : columns_) names = std::max(names, DisplayWidth(column));
  const size_t indent = names + kGap;
  const size_t room = style.columns > indent + kNarrowest ? style.columns - indent : kNarrowest;
  for (size_t r = 0; r < rows_.size(); ++r) {
    if (r > 0) out << '\n';
    for (size_t c = 0; c < columns_.size(); ++c) {
      std::string start = columns_[c] + ":";
      for (const std::string& line : WrapWords(rows_[r][c].Text(), room)) {
        out << start;
        if (!line.empty()) {
          out << std::string(indent - DisplayWidth(start), ' ')
              << Coloured(line, rows_[r][c].state(), style);
        }
        out << '\n';
        start.clear();
      }
    }
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
