#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/parquet/file_predicate.h"

namespace shopstream::refine {

// A condition in SQL on the rows of a table, such as "user_id = 7". A row for which it is null does
// not match. It decides by the row alone: the same row matches whenever and wherever it is asked.
// One thread.
class RowPredicate {
 public:
  // `columns`: the table's. Invalid: the text is not one boolean expression of them, or has a
  // function of time or chance, a SELECT or an aggregate; the message says what.
  enum class OnError { kFail, kNoMatch };  // If it cannot be computed for a row.
  static Result<std::unique_ptr<RowPredicate>> Open(const std::string& text,
                                                    const std::shared_ptr<arrow::Schema>& columns,
                                                    OnError on_error = OnError::kFail);
  // Whether the text is a condition at all, if its columns are not known. Invalid as for Open.
  static Status CheckText(const std::string& text);
  ~RowPredicate();

  const std::string& text() const;
  // The columns that it reads, in the table's order; never empty.
  const std::vector<std::string>& columns() const;
  // Every row that matches satisfies this, by the names of `columns`.
  const lake::FilePredicate& outline() const;

  // One answer per row. `rows` has at least columns(), with the table's types. Invalid: the
  // condition cannot be computed for a row, see OnError.
  Result<std::vector<bool>> Matches(const arrow::RecordBatch& rows);

  // Whether a row would match of which only this column is known, as these texts. False if the
  // condition reads another column, if the column does not matter, or if the text is no value of
  // its type. `column`: not necessarily among columns().
  Result<std::vector<bool>> MatchesAlone(const std::string& column,
                                         const std::vector<std::optional<std::string>>& texts);

 private:
  struct Statements;
  explicit RowPredicate(std::unique_ptr<Statements> statements);

  std::unique_ptr<Statements> statements_;
};

}  // namespace shopstream::refine
