#include "refine/fixture_compare.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.h"
#include "base/nearest_name.h"
#include "refine/fixture_rows.h"
#include "sql/value_text.h"

namespace shopstream::refine {
namespace {

struct ExpectedValue {
  int column = 0;  // Of the rows.
  std::string value;
};
using ExpectedRow = std::vector<ExpectedValue>;

class Comparison {
 public:
  Comparison(const YamlReader& yaml, const arrow::RecordBatch& found)
      : yaml_(yaml), rows_(found), taken_(static_cast<size_t>(found.num_rows())) {}

  Result<ExpectedRow> Read(const YAML::Node& node) const {
    if (!node.IsMap()) return yaml_.Error(node, "a row consists of columns and values");
    ExpectedRow row;
    for (const std::string& name : FixtureKeys(node)) {
      const int column = rows_.schema()->GetFieldIndex(name);
      if (column < 0) {
        return yaml_.Error(node, "there is no column '", Printable(name), "'",
                           DidYouMean(name, rows_.schema()->field_names()));
      }
      ARROW_ASSIGN_OR_RAISE(const auto value,
                            ParseFixtureValue(yaml_, FixtureValue(node, name), name,
                                              *rows_.schema()->field(column)->type()));
      row.push_back({column, FixtureText(*value, 0)});
    }
    return row;
  }

  // Whether a row that no other expected row has taken equals it; takes it.
  bool TakeEqual(const ExpectedRow& row) {
    const auto found = Best(row);
    if (!found || EqualValues(row, *found) < row.size()) return false;
    taken_[static_cast<size_t>(*found)] = true;
    return true;
  }

  // Takes the row that is most like it.
  RowDifference TakeNearest(const ExpectedRow& row) {
    RowDifference difference;
    const auto found = Best(row);
    if (found) taken_[static_cast<size_t>(*found)] = true;
    for (const auto& [column, value] : row) {
      Add(column, value, &difference.expected);
      if (!found) continue;
      const std::string other = FixtureText(*rows_.column(column), *found);
      Add(column, other, &difference.found);
      if (other != value) difference.columns.push_back(rows_.column_name(column));
    }
    return difference;
  }

  // All columns of the rows that nothing has taken.
  void AddRest(std::vector<RowDifference>* differences) const {
    for (int64_t row = 0; row < rows_.num_rows(); ++row) {
      if (taken_[static_cast<size_t>(row)]) continue;
      RowDifference difference;
      for (int i = 0; i < rows_.num_columns(); ++i) {
        Add(i, FixtureText(*rows_.column(i), row), &difference.found);
      }
      differences->push_back(std::move(difference));
    }
  }

 private:
  void Add(int column, const std::string& value, std::string* text) const {
    *text += (text->empty() ? "" : ", ") + rows_.column_name(column) + ": " + Printable(value);
  }

  size_t EqualValues(const ExpectedRow& row, int64_t found) const {
    return static_cast<size_t>(std::ranges::count_if(row, [&](const ExpectedValue& expected) {
      return FixtureText(*rows_.column(expected.column), found) == expected.value;
    }));
  }

  std::optional<int64_t> Best(const ExpectedRow& row) const {
    std::optional<int64_t> best;
    for (int64_t i = 0; i < rows_.num_rows(); ++i) {
      if (taken_[static_cast<size_t>(i)]) continue;
      if (!best || EqualValues(row, i) > EqualValues(row, *best)) best = i;
    }
    return best;
  }

  const YamlReader& yaml_;
  const arrow::RecordBatch& rows_;
  std::vector<bool> taken_;
};

}  // namespace

std::string FixtureText(const arrow::Array& values, int64_t row) {
  return values.IsNull(row) ? "~" : sql::ValueText(values, row);
}

Result<std::vector<RowDifference>> CompareRows(const YamlReader& yaml, const YAML::Node& expected,
                                               const arrow::RecordBatch& found) {
  if (!expected.IsSequence()) return yaml.Error(expected, "what is expected is a list of rows");
  Comparison comparison(yaml, found);
  std::vector<ExpectedRow> missing;
  for (const YAML::Node& node : expected) {
    ARROW_ASSIGN_OR_RAISE(ExpectedRow row, comparison.Read(node));
    if (!comparison.TakeEqual(row)) missing.push_back(std::move(row));
  }
  std::vector<RowDifference> differences;
  for (const ExpectedRow& row : missing) differences.push_back(comparison.TakeNearest(row));
  comparison.AddRest(&differences);
  return differences;
}

}  // namespace shopstream::refine
