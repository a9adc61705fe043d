#include "lineage/gold_cells.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>

#include <cstdlib>
#include <map>

#include "base/join.h"
#include "refine/all_rows.h"
#include "refine/dates.h"
#include "refine/dialect.h"
#include "refine/gold_table.h"
#include "sql/engine.h"
#include "sql/lake_rows.h"
#include "sql/memory_rows.h"
#include "sql/statement_stop.h"
#include "sql/value_text.h"
#include "tables/columns.h"
#include "tables/refine_state.h"

namespace shopstream::lineage {
namespace {

constexpr int64_t kExpectedRows = 10;

Result<std::shared_ptr<arrow::RecordBatch>> Ask(sql::Session* session, const sql::SqlText& text) {
  ARROW_ASSIGN_OR_RAISE(auto queries, session->Prepare(text));
  return refine::AllRows(&queries.front());
}

std::string InQuotes(const std::string& name) {
  return refine::QuotedName(name, refine::Dialect::kDuckDb);
}

std::optional<double> NumberOf(const arrow::Array& values, int64_t row) {
  if (!sql::IsNumber(*values.type()) || values.IsNull(row)) return std::nullopt;
  return std::strtod(sql::ValueText(values, row).c_str(), nullptr);
}

// The rows are read in this order, so that the engine is destroyed first.
class GoldCells {
 public:
  GoldCells(lake::ObjectStore* store, const std::string& folder, const std::function<bool()>& stop)
      : store_(store), folder_(folder), stop_(stop) {}

  Status Start(const RefinedRow& row) {
    row_ = &row;
    ARROW_ASSIGN_OR_RAISE(engine_, sql::Engine::Open({}));
    ARROW_ASSIGN_OR_RAISE(session_, engine_->Connect());
    stops_ = std::make_unique<sql::StopsWhenAsked>(session_.get(), stop_);
    ARROW_RETURN_NOT_OK(Add("silver_events", row.silver));
    return Add("silver_rejects", row.rejects);
  }

  // Nothing: the row does not contribute to this table.
  Result<std::optional<GoldCell>> CellOf(const refine::GoldFile& file) {
    ARROW_ASSIGN_OR_RAISE(const auto share, Ask(session_.get(), file.aggregate));
    if (share->num_rows() == 0) return std::nullopt;
    GoldCell cell{.table = folder_ + "/" + file.name};
    for (const std::string& key : file.Keys()) {
      const auto values = share->GetColumnByName(key);
      if (values == nullptr) return Status::Invalid(file.aggregate.file, ": no column ", key);
      cell.key.emplace_back(key, sql::ValueJson(*values, 0));
    }
    ARROW_ASSIGN_OR_RAISE(const auto found, Find(file, share, &cell));
    for (const refine::GoldColumn& column : file.columns) {
      if (column.kind != refine::GoldKind::kKey) {
        cell.columns.push_back(Compare(column, *share, found.get()));
      }
    }
    return cell;
  }

 private:
  Status Add(const std::string& name, const std::shared_ptr<arrow::RecordBatch>& rows) {
    auto& source =
        memory_.emplace_back(std::make_unique<sql::MemoryRows>(rows->schema(), kExpectedRows));
    ARROW_RETURN_NOT_OK(source->Set(rows));
    return session_->Register(name, source.get());
  }

  // The table's row with the key of the share; null: there is none.
  Result<std::shared_ptr<arrow::RecordBatch>> Find(const refine::GoldFile& file,
                                                   const std::shared_ptr<arrow::RecordBatch>& share,
                                                   GoldCell* cell) {
    auto opened = lake::Table::Open(store_, cell->table);
    if (opened.status().IsKeyError()) return nullptr;
    ARROW_RETURN_NOT_OK(opened.status());
    const auto snapshot = (*opened)->snapshot();
    cell->version = snapshot->version();
    cell->pass = tables::RefinePass(*snapshot);
    cell->state = GoldCell::State::kAwaited;
    if (cell->pass.value_or(0) < row_->pass || !refine::IsBuilt(*snapshot, file)) return nullptr;
    cell->state = GoldCell::State::kAbsent;
    auto& rows = lake_.emplace_back(std::make_unique<sql::LakeRows>(store_, cell->table, snapshot));
    ARROW_ASSIGN_OR_RAISE(const auto dates, refine::RowsByDate(*share));
    rows->Narrow(refine::OfDates({dates.begin()->first}));
    ARROW_RETURN_NOT_OK(session_->Register("cells_" + file.name, rows.get()));
    ARROW_RETURN_NOT_OK(Add("share_" + file.name, share));
    std::vector<std::string> equal;
    for (const std::string& key : file.Keys()) {
      equal.push_back("c." + InQuotes(key) + " IS NOT DISTINCT FROM s." + InQuotes(key));
    }
    const std::string text = "SELECT c.* FROM " + InQuotes("cells_" + file.name) + " c, " +
                             InQuotes("share_" + file.name) + " s WHERE " + Joined(equal, " AND ");
    ARROW_ASSIGN_OR_RAISE(const auto found, Ask(session_.get(), {text, "", 1}));
    if (found->num_rows() == 0) return nullptr;
    cell->state = GoldCell::State::kHasIt;
    return found;
  }

  static CellColumn Compare(const refine::GoldColumn& column, const arrow::RecordBatch& share,
                            const arrow::RecordBatch* cell) {
    CellColumn compared{.name = column.name, .kind = column.kind};
    const auto part = share.GetColumnByName(column.name);
    const auto whole = cell == nullptr ? nullptr : cell->GetColumnByName(column.name);
    if (part != nullptr) compared.share = sql::ValueJson(*part, 0);
    if (whole != nullptr) compared.value = sql::ValueJson(*whole, 0);
    if (part == nullptr || whole == nullptr || column.kind != refine::GoldKind::kAdd) {
      return compared;
    }
    const auto of = NumberOf(*whole, 0), share_of = NumberOf(*part, 0);
    if (of && share_of && *of != 0) compared.share_percent = *share_of / *of * 100;
    return compared;
  }

  lake::ObjectStore* const store_;
  const std::string& folder_;
  const std::function<bool()>& stop_;
  const RefinedRow* row_ = nullptr;
  std::vector<std::unique_ptr<sql::MemoryRows>> memory_;
  std::vector<std::unique_ptr<sql::LakeRows>> lake_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  std::unique_ptr<sql::StopsWhenAsked> stops_;
};

}  // namespace

const char* Name(GoldCell::State state) {
  switch (state) {
    case GoldCell::State::kHasIt:
      return "has_it";
    case GoldCell::State::kAwaited:
      return "awaited";
    case GoldCell::State::kAbsent:
      return "absent";
    case GoldCell::State::kNoTable:
      return "no_table";
  }
  return "";
}

Result<std::vector<GoldCell>> FindGoldCells(lake::ObjectStore* store,
                                            const std::string& gold_folder,
                                            const std::vector<refine::GoldFile>& files,
                                            const RefinedRow& row,
                                            const std::function<bool()>& stop) {
  GoldCells cells(store, gold_folder, stop);
  ARROW_RETURN_NOT_OK(cells.Start(row));
  std::vector<GoldCell> found;
  for (const refine::GoldFile& file : files) {
    if (stop()) return Status::Cancelled("the search of Gold was stopped");
    ARROW_ASSIGN_OR_RAISE(auto cell, cells.CellOf(file));
    if (cell) found.push_back(*std::move(cell));
  }
  return found;
}

}  // namespace shopstream::lineage
