#pragma once

#include <duckdb.h>

#include <string>
#include <utility>

#include "base/status.h"

namespace shopstream::sql {

// The functions of DuckDB's C interface that are used here, without their prefix.
// clang-format off
#define SHOPSTREAM_DUCKDB_FUNCTIONS(X) \
  X(library_version) \
  X(free) \
  X(create_config) \
  X(set_config) \
  X(destroy_config) \
  X(open_ext) \
  X(close) \
  X(connect) \
  X(disconnect) \
  X(interrupt) \
  X(query) \
  X(destroy_result) \
  X(result_error) \
  X(column_count) \
  X(column_name) \
  X(column_logical_type) \
  X(get_type_id) \
  X(fetch_chunk) \
  X(destroy_data_chunk) \
  X(extract_statements) \
  X(extract_statements_error) \
  X(destroy_extracted) \
  X(prepare_extracted_statement) \
  X(prepare_error) \
  X(destroy_prepare) \
  X(prepared_statement_type) \
  X(pending_prepared_streaming) \
  X(pending_error) \
  X(execute_pending) \
  X(destroy_pending) \
  X(result_get_arrow_options) \
  X(destroy_arrow_options) \
  X(to_arrow_schema) \
  X(data_chunk_to_arrow) \
  X(error_data_message) \
  X(destroy_error_data) \
  X(create_logical_type) \
  X(create_decimal_type) \
  X(create_list_type) \
  X(create_map_type) \
  X(create_struct_type) \
  X(destroy_logical_type) \
  X(create_table_function) \
  X(destroy_table_function) \
  X(table_function_set_name) \
  X(table_function_set_extra_info) \
  X(table_function_set_bind) \
  X(table_function_set_init) \
  X(table_function_set_local_init) \
  X(table_function_set_function) \
  X(table_function_supports_projection_pushdown) \
  X(register_table_function) \
  X(bind_get_extra_info) \
  X(bind_add_result_column) \
  X(bind_set_cardinality) \
  X(bind_set_error) \
  X(init_get_extra_info) \
  X(init_get_column_count) \
  X(init_get_column_index) \
  X(init_set_init_data) \
  X(init_set_max_threads) \
  X(init_set_error) \
  X(function_get_init_data) \
  X(function_get_local_init_data) \
  X(function_set_error) \
  X(vector_size) \
  X(data_chunk_get_vector) \
  X(data_chunk_set_size) \
  X(vector_get_data) \
  X(vector_get_validity) \
  X(vector_ensure_validity_writable) \
  X(vector_assign_string_element_len) \
  X(list_vector_get_child) \
  X(list_vector_reserve) \
  X(list_vector_set_size) \
  X(struct_vector_get_child)
// clang-format on

struct DuckDbApi {
#define SHOPSTREAM_DUCKDB_MEMBER(name) decltype(&::duckdb_##name) name = nullptr;
  SHOPSTREAM_DUCKDB_FUNCTIONS(SHOPSTREAM_DUCKDB_MEMBER)
#undef SHOPSTREAM_DUCKDB_MEMBER
};

// Loads the library at the first call, which takes 25 ms and 17 MB of memory: too much for commands
// that run no SQL, hence it is not linked. It is the installed one beside the program or, in a
// checkout, the one of set-up. Thread-safe; the result stays valid.
Result<const DuckDbApi*> LoadDuckDb();
// The same from one file.
Result<DuckDbApi> LoadDuckDbFrom(const std::string& path);

// Owns a handle of DuckDB's. `destroy`: the function that takes its address.
template <typename T>
class Handle {
 public:
  explicit Handle(void (*destroy)(T*), T handle = {}) : destroy_(destroy), handle_(handle) {}
  ~Handle() { destroy_(&handle_); }
  Handle(Handle&& other) noexcept
      : destroy_(other.destroy_), handle_(std::exchange(other.handle_, T{})) {}
  Handle& operator=(Handle&&) = delete;

  T get() const { return handle_; }
  T* out() { return &handle_; }

 private:
  void (*destroy_)(T*);
  T handle_;
};

}  // namespace shopstream::sql
