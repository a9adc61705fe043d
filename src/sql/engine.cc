#include "sql/engine.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"
#include "sql/connection.h"
#include "sql/duckdb_api.h"

namespace shopstream::sql {
namespace {

// mkdtemp makes it for this user only.
Result<std::string> MakeSpillFolder() {
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error) / "shopstream-sql-XXXXXX";
  if (!error && mkdtemp(folder.data()) != nullptr) return folder;
  return Status::IOError("cannot make a folder for spilled rows in ", folder, ": ",
                         error ? error.message() : std::strerror(errno),
                         "; set TMPDIR to a folder that can be written");
}

// The macros are Spark's names for what DuckDB calls differently, so that one text runs on both.
constexpr const char* kStart[] = {
    // Allows the folder for spilled rows alone. If it were off from the start, not even that would
    // be
    // allowed. No statement can turn it on again.
    "SET enable_external_access=false",
    "SET TimeZone='UTC'",
    "CREATE MACRO unix_seconds(t) AS CAST(floor(epoch(t)) AS BIGINT)",
    "CREATE MACRO unix_micros(t) AS epoch_us(t)",
    "CREATE MACRO regexp_like(s, p) AS regexp_matches(s, p)",
    "SET lock_configuration=true",
};

}  // namespace

struct Engine::Database {
  Database(const DuckDbApi* loaded, int thread_count, std::string folder)
      : api(loaded), threads(thread_count), spill_folder(std::move(folder)) {}
  ~Database() {
    api->close(&handle);
    std::error_code error;
    std::filesystem::remove_all(spill_folder, error);
    if (error) Log::Warn("cannot remove {}: {}", spill_folder, error.message());
  }

  const DuckDbApi* api;
  int threads;
  std::string spill_folder;
  duckdb_database handle = nullptr;
  std::vector<std::unique_ptr<ScanFunction>> functions;  // Destroyed after the database is closed.
};

Engine::Engine(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const DuckDbApi* const api, LoadDuckDb());
  ARROW_ASSIGN_OR_RAISE(std::string folder, MakeSpillFolder());
  auto database = std::make_unique<Database>(api, options.threads, std::move(folder));
  Handle<duckdb_config> config(api->destroy_config);
  api->create_config(config.out());
  const std::pair<const char*, std::string> settings[] = {
      {"memory_limit", std::to_string(options.memory_bytes) + "B"},
      {"threads", std::to_string(options.threads)},
      {"temp_directory", database->spill_folder},
      {"preserve_insertion_order", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
  };
  for (const auto& [name, value] : settings) {
    if (api->set_config(config.get(), name, value.c_str()) == DuckDBSuccess) continue;
    return Status::Invalid("DuckDB refused the setting ", name, "=", value);
  }
  char* error = nullptr;
  if (api->open_ext(nullptr, &database->handle, config.get(), &error) != DuckDBSuccess) {
    const Status status = Status::Invalid("cannot start DuckDB: ", error == nullptr ? "" : error);
    api->free(error);
    return status;
  }
  auto engine = std::unique_ptr<Engine>(new Engine(std::move(database)));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  for (const char* sql : kStart) ARROW_RETURN_NOT_OK(session->Run(sql));
  return engine;
}

Result<std::unique_ptr<Session>> Engine::Connect() {
  auto connection = std::make_unique<Connection>(Connection{
      database_->api, database_->threads, Handle<duckdb_connection>(database_->api->disconnect),
      &database_->functions, database_->spill_folder});
  if (database_->api->connect(database_->handle, connection->handle.out()) != DuckDBSuccess) {
    return Status::OutOfMemory("DuckDB refused a connection");
  }
  return std::make_unique<Session>(std::move(connection));
}

}  // namespace shopstream::sql
