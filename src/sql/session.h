#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/row_source.h"
#include "sql/sql_text.h"

namespace shopstream::sql {

struct Connection;

// The rows of a running statement. One thread.
class RowStream {
 public:
  ~RowStream();
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  // At most 2,048 rows; null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  friend class Query;
  struct Running;
  RowStream();

  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<Running> running_;
};

// A prepared statement that only reads. The session outlives it.
class Query {
 public:
  Query(Query&&) noexcept;
  ~Query();
  // A session runs one statement at a time: the stream ends when the next one starts.
  Result<std::unique_ptr<RowStream>> Stream();
  // The statement, without those before and after it in its text.
  const SqlText& sql() const;

 private:
  friend class Session;
  struct Prepared;
  explicit Query(std::unique_ptr<Prepared> prepared);

  std::unique_ptr<Prepared> prepared_;
};

// A connection to an engine. One thread, but for Interrupt.
class Session {
 public:
  explicit Session(std::unique_ptr<Connection> connection);
  ~Session();

  // Makes the rows a table. Borrowed: they outlive the engine.
  Status Register(const std::string& name, RowSource* rows);
  // The statements of a text, at least one. Invalid: a statement is wrong, or does not only read.
  Result<std::vector<Query>> Prepare(const SqlText& sql);
  // The statements as DuckDB's json_serialize_sql writes them; see pruning.h.
  Result<std::string> Parse(const std::string& sql);
  // A text that Parse turns into this.
  Result<std::string> Unparse(const std::string& parsed);
  // Runs a statement of ours, which may change settings.
  Status Run(const std::string& sql);
  // Stops the running statement, which fails as Cancelled. Any thread.
  void Interrupt();

 private:
  // The only value of a statement.
  Result<std::string> TextOf(const std::string& sql);
  Status PrepareOne(const SqlText& sql, std::vector<Query>* queries);

  std::unique_ptr<Connection> connection_;
};

}  // namespace shopstream::sql
