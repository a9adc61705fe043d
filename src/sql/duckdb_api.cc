#include "sql/duckdb_api.h"

#include <dlfcn.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/default_config.h"

namespace shopstream::sql {
namespace {

// What src/sql relies on beyond the C interface, such as the form of plans, is that of one version.
constexpr std::string_view kVersion = "v1.4.4";
constexpr char kInstalled[] = "../lib/shopstream/libduckdb.so";  // From the program's folder.

std::string LibraryPath() {
  const std::filesystem::path installed = ProgramPath().parent_path() / kInstalled;
  std::error_code error;
  return std::filesystem::exists(installed, error) ? installed.string() : SHOPSTREAM_DUCKDB_LIBRARY;
}

template <typename Function>
Status Find(void* library, const std::string& path, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function != nullptr) return Status::OK();
  return Status::Invalid(path, " has no function ", name, ": run ./run setup");
}

// Before the other functions are looked up: another version may lack some.
Status CheckVersion(void* library, const std::string& path) {
  const char* (*version)() = nullptr;
  ARROW_RETURN_NOT_OK(Find(library, path, "duckdb_library_version", &version));
  if (version() == kVersion) return Status::OK();
  return Status::Invalid(path, " is DuckDB ", version(), ", and this program needs ", kVersion,
                         ": run ./run setup");
}

}  // namespace

Result<DuckDbApi> LoadDuckDbFrom(const std::string& path) {
  // Local, because it exports the names of libraries built into it.
  void* const library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    return Status::Invalid("cannot load DuckDB, which runs SQL: ", dlerror(),
                           ": run ./run setup, or install the program again");
  }
  ARROW_RETURN_NOT_OK(CheckVersion(library, path));
  DuckDbApi api;
#define SHOPSTREAM_DUCKDB_FIND(name) \
  ARROW_RETURN_NOT_OK(Find(library, path, "duckdb_" #name, &api.name));
  SHOPSTREAM_DUCKDB_FUNCTIONS(SHOPSTREAM_DUCKDB_FIND)
#undef SHOPSTREAM_DUCKDB_FIND
  return api;
}

Result<const DuckDbApi*> LoadDuckDb() {
  static const Result<DuckDbApi> loaded = LoadDuckDbFrom(LibraryPath());
  if (!loaded.ok()) return loaded.status();
  return &*loaded;
}

}  // namespace shopstream::sql
