# Third-party parts. `./run setup` installs the system packages and fills SHOPSTREAM_DEPS.
set(SHOPSTREAM_DEPS "${PROJECT_SOURCE_DIR}/.deps" CACHE PATH "Folder that ./run setup fills")

find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(pugixml REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(Boost 1.74 REQUIRED)  # Headers only: Asio and Beast.

# Arrow and Parquet: the system's if installed, otherwise those in the pyarrow wheel, whose
# libraries have only their full soname.
find_package(Arrow QUIET)
find_package(Parquet QUIET)
if(NOT TARGET Arrow::arrow_shared OR NOT TARGET Parquet::parquet_shared)
  set(arrow_home "${SHOPSTREAM_DEPS}/arrow")
  file(GLOB arrow_library "${arrow_home}/libarrow.so.*00")
  file(GLOB parquet_library "${arrow_home}/libparquet.so.*00")
  if(NOT arrow_library OR NOT parquet_library)
    message(FATAL_ERROR "Arrow not found in ${arrow_home}: run ./run setup")
  endif()
  add_library(Arrow::arrow_shared SHARED IMPORTED)
  set_target_properties(Arrow::arrow_shared PROPERTIES IMPORTED_LOCATION "${arrow_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${arrow_home}/include")
  add_library(Parquet::parquet_shared SHARED IMPORTED)
  set_target_properties(Parquet::parquet_shared PROPERTIES IMPORTED_LOCATION "${parquet_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${arrow_home}/include"
    INTERFACE_LINK_LIBRARIES Arrow::arrow_shared)
endif()

# The wheel has S3 in a separate library; a system's Arrow includes it.
file(GLOB arrow_s3_library "${SHOPSTREAM_DEPS}/arrow/libarrow_s3.so.*00")
add_library(Arrow::arrow_s3 INTERFACE IMPORTED)
target_link_libraries(Arrow::arrow_s3 INTERFACE Arrow::arrow_shared)
if(arrow_home AND arrow_s3_library)
  target_link_libraries(Arrow::arrow_s3 INTERFACE "${arrow_s3_library}")
endif()

# librdkafka: built by ./run setup, with the patches in scripts/patches; the system's version 2.2 or later works as
# well, but for what the patches repair.
find_path(rdkafka_include librdkafka/rdkafka.h HINTS "${SHOPSTREAM_DEPS}/librdkafka/include"
          NO_CACHE REQUIRED)
find_library(rdkafka_library rdkafka HINTS "${SHOPSTREAM_DEPS}/librdkafka/lib" NO_CACHE REQUIRED)
add_library(RdKafka::rdkafka SHARED IMPORTED)
set_target_properties(RdKafka::rdkafka PROPERTIES IMPORTED_LOCATION "${rdkafka_library}"
  INTERFACE_INCLUDE_DIRECTORIES "${rdkafka_include}")

# libedit: edits the lines of `shopstream query`.
find_path(edit_include histedit.h NO_CACHE REQUIRED)
find_library(edit_library edit NO_CACHE REQUIRED)
add_library(Edit::edit SHARED IMPORTED)
set_target_properties(Edit::edit PROPERTIES IMPORTED_LOCATION "${edit_library}"
  INTERFACE_INCLUDE_DIRECTORIES "${edit_include}")

# DuckDB: loaded at run time by the commands that run SQL, never linked; see src/sql/duckdb_api.h.
find_path(duckdb_include duckdb.h HINTS "${SHOPSTREAM_DEPS}/duckdb/include" NO_CACHE REQUIRED)
set(duckdb_library "${SHOPSTREAM_DEPS}/duckdb/lib/libduckdb.so")
add_library(DuckDB::api INTERFACE IMPORTED)
set_target_properties(DuckDB::api PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${duckdb_include}"
  INTERFACE_COMPILE_DEFINITIONS SHOPSTREAM_DUCKDB_LIBRARY="${duckdb_library}"
  INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS}")
