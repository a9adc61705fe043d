#include "console/api_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "console/lake_testing.h"

namespace shopstream::console {
namespace {

using ::testing::HasSubstr;

class ApiSqlTest : public LakeApiTest {
 protected:
  nlohmann::ordered_json Post(const nlohmann::json& body) {
    return Ask("POST", "/api/sql", {}, "", body);
  }
};

TEST_F(ApiSqlTest, TheBodyIsChecked) {
  Serve(SqlRoutes);
  EXPECT_EQ("[[1]]", Post({{"id", "a"}, {"sql", "SELECT 1"}})["rows"].dump());
  EXPECT_EQ(1, Post({{"id", "a"}, {"sql", "SELECT * FROM range(9)"}, {"limit", 1}})["rows"].size());
  for (const auto& [body, message] : std::vector<std::pair<nlohmann::json, std::string>>{
           {{{"sql", "SELECT 1"}}, "no text \"id\""},
           {{{"id", "a"}, {"sql", ""}}, "no text \"sql\""},
           {{{"id", "a"}, {"sql", "SELECT 1"}, {"limit", 0}}, "\"limit\""},
           {{{"id", "a"}, {"sql", "SELECT 1"}, {"versions", {{"t", "x"}}}}, "version of t"},
           {{{"id", "a"}, {"sql", "SELECT 1"}, {"versions", {{"t", 1}}}}, "there is no table t"},
           {{{"id", "a"}, {"sql", "SELECT 1"}, {"as_of_ms", "now"}}, "\"as_of_ms\""}}) {
    EXPECT_THAT(Post(body)["error"].get<std::string>(), HasSubstr(message)) << body;
  }
}

TEST_F(ApiSqlTest, WhatDoesNotRunIsNotCancelled) {
  Serve(SqlRoutes);
  EXPECT_EQ(false, Ask("POST", "/api/sql/*/cancel", {"x"})["cancelled"]);
  EXPECT_EQ(false, Get("/api/sql/schema")["exists"]);
}

}  // namespace
}  // namespace shopstream::console
