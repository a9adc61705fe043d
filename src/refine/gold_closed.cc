#include "refine/gold_closed.h"

#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "refine/gold_table.h"
#include "refine/parsed_sql.h"
#include "refine/row_predicate.h"
#include "sql/engine.h"
#include "sql/session.h"

namespace shopstream::refine {
namespace {

using Rows = std::shared_ptr<arrow::RecordBatch>;

Result<std::map<Date, std::vector<DataFile>>> ClosedFiles(const lake::Snapshot& gold,
                                                          const ClosedDates& closed) {
  std::map<Date, std::vector<DataFile>> files;
  Status status;
  gold.VisitFiles([&](const DataFile& file) {
    const auto date = DateOf(file);
    if (status.ok()) status = date.status();
    if (date.ok() && closed.Contains(*date)) files[*date].push_back(file);
  });
  ARROW_RETURN_NOT_OK(status);
  return files;
}

// Arrow casts whole numbers only to decimals that hold all of their type. It fails if a value does
// not fit.
Result<std::shared_ptr<arrow::Array>> CastTo(std::shared_ptr<arrow::Array> column,
                                             const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::DECIMAL128 && arrow::is_integer(column->type_id())) {
    const int scale = static_cast<const arrow::Decimal128Type&>(*type).scale();
    const auto widest = arrow::decimal128(arrow::Decimal128Type::kMaxPrecision, scale);
    ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Cast(*column, widest));
  }
  return arrow::compute::Cast(*column, type);
}

// What a SELECT returns, by position: the names of the columns of Silver and rejects that it passes
// unchanged; "" for anything else.
std::vector<std::string> PassedColumns(const Parsed& node) {
  std::vector<std::string> names;
  if (node.at("type") == "SET_OPERATION_NODE") {
    std::vector<Parsed> parts(node.at("children").begin(), node.at("children").end());
    if (parts.empty()) parts = {node.at("left"), node.at("right")};
    names = PassedColumns(parts.front());
    for (const Parsed& part : parts) {
      const auto others = PassedColumns(part);
      for (size_t i = 0; i < names.size(); ++i) {
        if (i >= others.size() || others[i] != names[i]) names[i].clear();
      }
    }
    return names;
  }
  const Parsed& from = node.at("from_table");
  const bool renames = !from.value("column_name_alias", Parsed::array()).empty();
  std::optional<std::vector<std::string>> within;
  if (from.at("type") == "SUBQUERY") within = PassedColumns(from.at("subquery").at("node"));
  for (const Parsed& item : node.at("select_list")) {
    std::string name = ColumnName(item).value_or("");
    const bool is_known = !within || std::ranges::find(*within, name) != within->end();
    if (renames || !is_known || OutputName(item) != name) name.clear();
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::vector<std::string>> PassedColumns(const sql::SqlText& aggregate) {
  ARROW_ASSIGN_OR_RAISE(const auto engine, sql::Engine::Open({}));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  ARROW_ASSIGN_OR_RAISE(const std::string parsed, session->Parse(aggregate.text));
  ARROW_ASSIGN_OR_RAISE(const Parsed node, OnlyNode(parsed, aggregate));
  return PassedColumns(node);
}

class ClosedGoldWriter {
 public:
  ClosedGoldWriter(const lake::Table& gold, const GoldFile& file, const ClosedGoldOptions& options)
      : gold_(gold), file_(file), options_(options), schema_(gold.snapshot()->schema()) {}

  // A key decides for all rows that were added up below it, if it has the values of Silver; another
  // column does not.
  Status OpenCondition() {
    if (options_.erase.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto passed, PassedColumns(file_.aggregate));
    arrow::FieldVector keys;
    for (const std::string& key : file_.Keys()) {
      auto field = schema_->GetFieldByName(key);
      const bool is_passed = std::ranges::find(passed, key) != passed.end();
      if (field != nullptr && is_passed) keys.push_back(std::move(field));
    }
    auto condition = RowPredicate::Open(options_.erase, arrow::schema(std::move(keys)),
                                        RowPredicate::OnError::kNoMatch);
    if (!condition.ok()) return Status::OK();
    condition_ = *std::move(condition);
    kept_.erased = 0;
    return Status::OK();
  }

  Status AddDate(const std::vector<DataFile>& files) {
    kept_.files.insert(kept_.files.end(), files.begin(), files.end());
    if (condition_ == nullptr && options_.columns == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const Rows rows, ReadRows(gold_.store(), gold_.path(), files, schema_));
    ARROW_ASSIGN_OR_RAISE(Rows left, WithoutErased(rows));
    if (options_.columns == nullptr && left->num_rows() == rows->num_rows()) return Status::OK();
    if (options_.columns != nullptr) {
      ARROW_ASSIGN_OR_RAISE(left, WithNewColumns(*left));
    }
    if (!kept_.written_since) kept_.written_since = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(const auto written, WriteDates(gold_.store(), gold_.path(), left));
    kept_.written.insert(kept_.written.end(), written.begin(), written.end());
    kept_.replaced.insert(kept_.replaced.end(), files.begin(), files.end());
    return Status::OK();
  }

  ClosedGold& kept() { return kept_; }

 private:
  Result<Rows> WithoutErased(const Rows& rows) {
    if (condition_ == nullptr) return rows;
    ARROW_ASSIGN_OR_RAISE(const std::vector<bool> matches, condition_->Matches(*rows));
    std::vector<int32_t> left;
    for (size_t row = 0; row < matches.size(); ++row) {
      if (!matches[row]) left.push_back(static_cast<int32_t>(row));
    }
    *kept_.erased += rows->num_rows() - std::ssize(left);
    return std::ssize(left) == rows->num_rows() ? rows : RowsAt(rows, left);
  }

  Result<Rows> WithNewColumns(const arrow::RecordBatch& rows) const {
    arrow::ArrayVector columns;
    for (const auto& field : options_.columns->fields()) {
      auto column = rows.GetColumnByName(field->name());
      if (column == nullptr) {
        ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(field->type(), rows.num_rows()));
      } else if (!column->type()->Equals(*field->type())) {
        auto cast = CastTo(column, field->type());
        if (!cast.ok()) return DoesNotFit(*field, *column->type(), cast.status());
        column = *std::move(cast);
      }
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(options_.columns, rows.num_rows(), std::move(columns));
  }

  Status DoesNotFit(const arrow::Field& column, const arrow::DataType& type,
                    const Status& why) const {
    const GoldColumn* const declared = file_.Find(column.name());
    return GoldError(file_.aggregate.file, declared == nullptr ? 0 : declared->line,
                     "column " + column.name() + " is " + column.type()->ToString() +
                         ", but the table has rows of closed dates in which it is " +
                         type.ToString() + " and which cannot be computed again (" + why.message() +
                         "): give the column another name");
  }

  const lake::Table& gold_;
  const GoldFile& file_;
  const ClosedGoldOptions& options_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<RowPredicate> condition_;  // Null: it cannot be decided.
  ClosedGold kept_;
};

}  // namespace

Result<bool> ClosedGold::AreLiveIn(const lake::Snapshot& gold, const ClosedDates& closed) const {
  std::set<std::string> known;
  for (const DataFile& file : files) known.insert(file.path);
  ARROW_ASSIGN_OR_RAISE(const auto live, ClosedFiles(gold, closed));
  size_t count = 0;
  for (const auto& [date, of_date] : live) {
    for (const DataFile& file : of_date) {
      if (!known.contains(file.path)) return false;
      ++count;
    }
  }
  return count == known.size();
}

Result<ClosedGold> KeepClosedGold(const lake::Table& gold, const GoldFile& file,
                                  const ClosedDates& closed, const ClosedGoldOptions& options) {
  ClosedGoldWriter writer(gold, file, options);
  ARROW_ASSIGN_OR_RAISE(const auto files, ClosedFiles(*gold.snapshot(), closed));
  if (files.empty()) return ClosedGold();
  ARROW_RETURN_NOT_OK(writer.OpenCondition());
  for (const auto& [date, of_date] : files) {
    const Status added = writer.AddDate(of_date);
    if (added.ok()) continue;
    Discard(gold.store(), gold.path(), writer.kept().written);
    return added;
  }
  return std::move(writer.kept());
}

}  // namespace shopstream::refine
