#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/record_batch.h>

#include <memory>

#include "base/status.h"
#include "refine/columns.h"
#include "refine/judge_sql.h"
#include "refine/rule_book.h"
#include "sql/engine.h"
#include "sql/session.h"

namespace shopstream::refine {

// What becomes of each row of a batch, by its position. Duplicates are not found here.
struct Verdicts {
  // The names of the rules that reject the row, of those that stop, and `not_computable`, joined by
  // ','; "": it goes to Silver. Never null.
  std::shared_ptr<arrow::StringArray> reasons;
  // The names of the rules that only warn. Never null.
  std::shared_ptr<arrow::StringArray> warnings;
  // Silver's own columns; null where they cannot be computed.
  std::shared_ptr<arrow::Array> event_hour;        // timestamp[us, UTC]
  std::shared_ptr<arrow::Array> amount_usd;        // decimal128(18, 2)
  std::shared_ptr<arrow::Array> product_category;  // utf8
  std::shared_ptr<arrow::Array> late;              // bool
};

// Judges rows of Bronze by a rule book, in an engine of its own. One thread.
class Judge {
 public:
  // Prepares the statements for rows with all of Bronze's columns. Invalid names the file and the
  // line of the rule or SQL that does not fit them.
  static Result<std::unique_ptr<Judge>> Open(std::shared_ptr<const RuleBook> book,
                                             const RefineColumns& columns,
                                             const sql::EngineOptions& options);
  ~Judge();

  // Invalid: a condition or Silver's SQL fails on a value, or does not give one row for each row;
  // the message names the rule or the file.
  Result<Verdicts> Look(const std::shared_ptr<arrow::RecordBatch>& rows);

  const RuleBook& book() const;
  // The text of the statements.
  const JudgeText& text() const;
  // Where the rows of the last Look are the table bronze_events, with their number as kRowNumber,
  // beside the look-up tables.
  sql::Session* session();

 private:
  struct Statements;
  explicit Judge(std::unique_ptr<Statements> statements);

  std::unique_ptr<Statements> statements_;
};

}  // namespace shopstream::refine
