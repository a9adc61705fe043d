#include "sql/scan_function.h"

#include <arrow/util/bit_util.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "sql/arrow_values.h"

namespace shopstream::sql {
namespace {

// The library is loaded once, so that callbacks find it without passing it on.
const DuckDbApi& LoadedApi() { return **LoadDuckDb(); }

constexpr char kHiddenColumn[] = "no column of the table";
constexpr int kHidden = -1;

template <typename T>
void DeleteOf(void* object) {
  delete static_cast<T*>(object);
}

void SetAllNull(const DuckDbApi& api, duckdb_vector vector, int64_t rows) {
  api.vector_ensure_validity_writable(vector);
  std::memset(api.vector_get_validity(vector), 0,
              static_cast<size_t>(arrow::bit_util::BytesForBits(rows)));
}

}  // namespace

struct ScanFunction::Active {
  ScanFunction* function;
  std::unique_ptr<RowScan> scan;
  std::vector<int> columns;  // For each column of a chunk, that of the batches, or kHidden.
  int threads = 1;
  std::atomic<int> joined{0};
};

struct ScanFunction::Local {
  int thread = -1;
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t next = 0;  // Row of the batch.
};

Status ScanFunction::Register(duckdb_connection connection, const std::string& name) {
  for (const auto& field : rows_->schema()->fields()) {
    const auto type = SqlType(*api_, *field->type());
    if (!type.ok()) {
      return type.status().WithMessage("column ", field->name(), ": ", type.status().message());
    }
  }
  Handle<duckdb_table_function> function(api_->destroy_table_function,
                                         api_->create_table_function());
  api_->table_function_set_name(function.get(), ("scan_" + name).c_str());
  api_->table_function_set_extra_info(function.get(), this, nullptr);
  api_->table_function_set_bind(function.get(), &Bind);
  api_->table_function_set_init(function.get(), &Init);
  api_->table_function_set_local_init(function.get(), &InitLocal);
  api_->table_function_set_function(function.get(), &Fill);
  api_->table_function_supports_projection_pushdown(function.get(), true);
  if (api_->register_table_function(connection, function.get()) == DuckDBSuccess) {
    return Status::OK();
  }
  return Status::Invalid("DuckDB refused the table ", name);
}

std::string ScanFunction::ViewSql(const std::string& name) const {
  std::string columns;
  for (const auto& field : rows_->schema()->fields()) {
    columns += (columns.empty() ? "" : ", ") + Quoted(field->name());
  }
  return "CREATE VIEW " + Quoted(name) + " AS SELECT " + columns + " FROM " +
         Quoted("scan_" + name) + "()";
}

Status ScanFunction::TakeFailure() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failure_, Status::OK());
}

Status ScanFunction::Keep(const Status& failure) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = failure;
  return failure;
}

void ScanFunction::Bind(duckdb_bind_info info) {
  const DuckDbApi& api = LoadedApi();
  const auto& function = *static_cast<ScanFunction*>(api.bind_get_extra_info(info));
  const Handle<duckdb_logical_type> hidden(api.destroy_logical_type,
                                           api.create_logical_type(DUCKDB_TYPE_BOOLEAN));
  api.bind_add_result_column(info, kHiddenColumn, hidden.get());
  for (const auto& field : function.rows_->schema()->fields()) {
    const auto type = SqlType(api, *field->type());
    if (!type.ok()) return api.bind_set_error(info, type.status().message().c_str());
    api.bind_add_result_column(info, field->name().c_str(), type->get());
  }
  if (const auto rows = function.rows_->row_count()) {
    api.bind_set_cardinality(info, static_cast<idx_t>(*rows), /*is_exact=*/false);
  }
}

Result<ScanFunction::Active*> ScanFunction::Start(duckdb_init_info info) {
  auto active = std::make_unique<Active>();
  active->function = this;
  active->threads = std::clamp(rows_->MaxThreads(), 1, threads_);
  std::vector<int> wanted;
  for (idx_t i = 0; i < api_->init_get_column_count(info); ++i) {
    const idx_t column = api_->init_get_column_index(info, i);
    // Column numbers above the last one are DuckDB's own, such as a row's number.
    const bool real = column > 0 && column <= static_cast<idx_t>(rows_->schema()->num_fields());
    active->columns.push_back(real ? static_cast<int>(wanted.size()) : kHidden);
    if (real) wanted.push_back(static_cast<int>(column) - 1);
  }
  ARROW_ASSIGN_OR_RAISE(active->scan, rows_->Open(wanted, active->threads));
  return active.release();
}

void ScanFunction::Init(duckdb_init_info info) {
  const DuckDbApi& api = LoadedApi();
  auto* const function = static_cast<ScanFunction*>(api.init_get_extra_info(info));
  const auto started = function->Start(info);
  if (!started.ok()) {
    return api.init_set_error(info, function->Keep(started.status()).message().c_str());
  }
  api.init_set_max_threads(info, static_cast<idx_t>((*started)->threads));
  api.init_set_init_data(info, *started, &DeleteOf<Active>);
}

void ScanFunction::InitLocal(duckdb_init_info info) {
  LoadedApi().init_set_init_data(info, new Local, &DeleteOf<Local>);
}

Status ScanFunction::FillChunk(Active* active, Local* local, duckdb_data_chunk chunk) {
  if (local->thread < 0) local->thread = active->joined.fetch_add(1);
  while (local->thread < active->threads &&
         (local->batch == nullptr || local->next == local->batch->num_rows())) {
    ARROW_ASSIGN_OR_RAISE(local->batch, active->scan->Next(local->thread));
    local->next = 0;
    if (local->batch == nullptr) break;
  }
  if (local->batch == nullptr) {
    api_->data_chunk_set_size(chunk, 0);
    return Status::OK();
  }
  const int64_t rows =
      std::min(static_cast<int64_t>(api_->vector_size()), local->batch->num_rows() - local->next);
  for (size_t i = 0; i < active->columns.size(); ++i) {
    const duckdb_vector vector = api_->data_chunk_get_vector(chunk, i);
    if (active->columns[i] == kHidden) {
      SetAllNull(*api_, vector, rows);
      continue;
    }
    const auto values = local->batch->column(active->columns[i])->Slice(local->next, rows);
    const Status filled = FillVector(*api_, *values, vector);
    if (!filled.ok()) {
      return filled.WithMessage("column ", local->batch->column_name(active->columns[i]), ": ",
                                filled.message());
    }
  }
  api_->data_chunk_set_size(chunk, static_cast<idx_t>(rows));
  local->next += rows;
  return Status::OK();
}

void ScanFunction::Fill(duckdb_function_info info, duckdb_data_chunk chunk) {
  const DuckDbApi& api = LoadedApi();
  auto* const active = static_cast<Active*>(api.function_get_init_data(info));
  auto* const local = static_cast<Local*>(api.function_get_local_init_data(info));
  const Status filled = active->function->FillChunk(active, local, chunk);
  if (filled.ok()) return;
  api.function_set_error(info, active->function->Keep(filled).message().c_str());
}

std::string Quoted(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace shopstream::sql
