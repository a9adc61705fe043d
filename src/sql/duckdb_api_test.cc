#include "sql/duckdb_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::sql {
namespace {

using ::testing::HasSubstr;

TEST(DuckDbApi, LoadsOnce) {
  const auto api = LoadDuckDb();
  ASSERT_TRUE(api.ok()) << api.status();
  EXPECT_EQ(*api, *LoadDuckDb());
  EXPECT_STREQ("v1.4.4", (*api)->library_version());
}

TEST(DuckDbApi, SaysWhyAFileIsNotTheLibrary) {
  EXPECT_THAT(LoadDuckDbFrom("/nonexistent.so").status().message(),
              HasSubstr("/nonexistent.so: cannot open shared object file"));
  EXPECT_THAT(LoadDuckDbFrom("libm.so.6").status().message(),
              HasSubstr("libm.so.6 has no function duckdb_library_version"));
}

}  // namespace
}  // namespace shopstream::sql
