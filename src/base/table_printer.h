#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/format.h"  // IWYU pragma: export
#include "base/json_value.h"
#include "base/terminal.h"

namespace shopstream {

// A value in a table.
class Cell {
 public:
  // Shown in colour on a terminal.
  enum class State { kPlain, kGood, kWarning, kBad, kUnknown };

  // Implicit, so that a row reads as a list of its values.
  Cell(std::nullptr_t) {}                                       // NOLINT: a missing value
  Cell(bool value) : value_(value) {}                           // NOLINT
  Cell(double value) : value_(value) {}                         // NOLINT
  Cell(const char* value) : value_(std::string(value)) {}       // NOLINT
  Cell(std::string value) : value_(std::move(value)) {}         // NOLINT
  Cell(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Cell(const nlohmann::json& value);                            // NOLINT
  template <std::integral T>
  Cell(T value) : value_(static_cast<int64_t>(value)) {}  // NOLINT

  Cell(std::string value, State state) : value_(std::move(value)), state_(state) {}
  // A number whose digits must all be kept.
  static Cell Number(std::string text);

  State state() const { return state_; }
  bool IsLeftAligned() const;  // Neither a number nor null.
  std::string Text() const;    // Human-readable.
  std::string Json() const;

 private:
  struct Digits {
    std::string text;
  };

  std::variant<std::nullptr_t, bool, int64_t, double, Digits, std::string, JsonValue> value_ =
      nullptr;
  State state_ = State::kPlain;
};

// A cell whose value may be missing.
template <typename T>
Cell OrNull(const std::optional<T>& value) {
  return value ? Cell(*value) : Cell(nullptr);
}

// Rows for people (aligned columns, numbers right-aligned, null as "-") or, with --json, for
// programs (an array of objects whose keys are the column names, with numbers as numbers). A table
// that is wider than the terminal has its longest texts broken at words or, if they would get too
// narrow, a block of lines for each row.
class TablePrinter {
 public:
  explicit TablePrinter(std::vector<std::string> columns);
  void AddRow(std::vector<Cell> cells);  // Exactly one per column.
  // On a terminal, if `out` is std::cout and that is one.
  void Print(std::ostream& out, bool as_json) const;
  void PrintText(std::ostream& out, const TerminalStyle& style) const;

 private:
  void PrintBlocks(std::ostream& out, const TerminalStyle& style) const;
  void PrintJson(std::ostream& out) const;

  std::vector<std::string> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace shopstream
