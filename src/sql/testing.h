#pragma once

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sql/engine.h"
#include "sql/row_source.h"
#include "sql/session.h"
#include "sql/value_text.h"

namespace shopstream::sql::testing {

// Rows in memory, handed out in batches of a few; fails after `fails_after` of them with `failure`.
class BatchRows : public RowSource {
 public:
  explicit BatchRows(std::shared_ptr<arrow::RecordBatch> rows, int64_t batch_rows = 3)
      : rows_(std::move(rows)), batch_rows_(batch_rows) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return rows_->schema(); }
  std::optional<int64_t> row_count() const override { return rows_->num_rows(); }
  Result<std::unique_ptr<RowScan>> Open(const std::vector<int>& columns, int) override {
    opened.push_back(columns);
    return std::make_unique<Scan>(this, columns);
  }

  std::vector<std::vector<int>> opened;  // The columns of each scan.
  int64_t fails_after = -1;
  Status failure;

 private:
  class Scan : public RowScan {
   public:
    Scan(BatchRows* rows, std::vector<int> columns) : source_(rows), columns_(std::move(columns)) {}
    Result<std::shared_ptr<arrow::RecordBatch>> Next(int) override {
      if (source_->fails_after >= 0 && at_ >= source_->fails_after) return source_->failure;
      const auto& all = source_->rows_;
      const int64_t rows = std::min(source_->batch_rows_, all->num_rows() - at_);
      if (rows == 0) return nullptr;
      arrow::ArrayVector arrays;
      arrow::FieldVector fields;
      for (const int column : columns_) {
        arrays.push_back(all->column(column)->Slice(at_, rows));
        fields.push_back(all->schema()->field(column));
      }
      at_ += rows;
      return arrow::RecordBatch::Make(arrow::schema(fields), rows, std::move(arrays));
    }

   private:
    BatchRows* const source_;
    const std::vector<int> columns_;
    int64_t at_ = 0;
  };

  const std::shared_ptr<arrow::RecordBatch> rows_;
  const int64_t batch_rows_;
};

// A column from JSON.
struct Column {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;
};

inline std::shared_ptr<arrow::RecordBatch> Rows(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(arrow::json::ArrayFromJSONString(column.type, column.json).ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
}

// All rows of a stream as text: "1,a;2,NULL".
inline Result<std::string> ReadAll(RowStream* stream) {
  std::string text;
  for (bool first = true;;) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, stream->Next());
    if (rows == nullptr) return text;
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      if (!first) text += ';';
      first = false;
      for (int i = 0; i < rows->num_columns(); ++i) {
        const auto& values = *rows->column(i);
        text += (i > 0 ? "," : "") + (values.IsNull(row) ? "NULL" : ValueText(values, row));
      }
    }
  }
}

// The rows of one statement, or its error.
inline std::string Ask(Session* session, const std::string& sql) {
  const auto ask = [&]() -> Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(auto queries, session->Prepare({sql, "", 1}));
    ARROW_ASSIGN_OR_RAISE(const auto stream, queries.front().Stream());
    return ReadAll(stream.get());
  };
  const auto answer = ask();
  return answer.ok() ? *answer : answer.status().message();
}

class SqlTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }
  void Start(const EngineOptions& options) {
    session_.reset();
    engine_.reset();
    auto engine = Engine::Open(options);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    session_ = engine_->Connect().ValueOrDie();
  }
  BatchRows* Add(const std::string& name, const std::vector<Column>& columns) {
    sources_.push_back(std::make_unique<BatchRows>(Rows(columns)));
    const Status status = session_->Register(name, sources_.back().get());
    EXPECT_TRUE(status.ok()) << status;
    return sources_.back().get();
  }
  std::string Ask(const std::string& sql) { return testing::Ask(session_.get(), sql); }

  std::vector<std::unique_ptr<BatchRows>> sources_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
};

}  // namespace shopstream::sql::testing
