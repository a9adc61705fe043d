#include "console/api_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "console/lake_testing.h"

namespace shopstream::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kBronze[] = "bronze-events";

class ApiLakeTest : public LakeApiTest {};

TEST_F(ApiLakeTest, ATableIsDescribedWithItsHealth) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .region = "US"}});
  Serve(LakeRoutes);
  const auto table = Get("/api/tables/*", {kBronze});
  EXPECT_EQ(2, table["rows"]);
  EXPECT_EQ(2, table["files"]);
  EXPECT_EQ(1, table["version"]);
  EXPECT_EQ(2, table["health"]["small_files"]);
  EXPECT_EQ(nullptr, table["health"]["advice"]);
  EXPECT_EQ(2, table["partitions"]["count"]);
  EXPECT_EQ("event_id", table["columns"][0]["column"]);
  EXPECT_THAT(Get("/api/tables/*", {"silver"})["error"].get<std::string>(),
              HasSubstr("there is no table silver"));
}

TEST_F(ApiLakeTest, CommitsShowWhatTheyBroughtAndArePaged) {
  CreateBronze();
  for (int64_t offset = 0; offset < 5; ++offset) {
    Ingest({{.id = "a", .offset = 2 * offset}, {.id = "b", .offset = 2 * offset + 1}});
  }
  Serve(LakeRoutes);
  const auto first = Get("/api/tables/*/commits", {kBronze}, "limit=2");
  ASSERT_EQ(2, first["commits"].size());
  EXPECT_EQ(5, first["commits"][0]["version"]);
  EXPECT_EQ(2, first["commits"][0]["rows_added"]);
  EXPECT_EQ(8, first["commits"][0]["offsets"][0]["begin"]);
  EXPECT_EQ(10, first["commits"][0]["offsets"][0]["end"]);
  EXPECT_EQ(4, first["next_before"]);
  const auto last = Get("/api/tables/*/commits", {kBronze}, "before=2");
  ASSERT_EQ(2, last["commits"].size());
  EXPECT_EQ(nullptr, last["commits"][0]["offsets"][0]["begin"]);
  EXPECT_EQ(nullptr, last["next_before"]);
  EXPECT_THAT(Get("/api/tables/*/commits", {kBronze}, "limit=0")["error"].get<std::string>(),
              HasSubstr("limit=0 is not a whole number from 1"));
}

TEST_F(ApiLakeTest, FilesAreSortedFilteredAndPaged) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0},
          {.id = "b", .offset = 1, .region = "US"},
          {.id = "c", .offset = 2, .region = "US"}});
  Serve(LakeRoutes);
  const auto files = Get("/api/tables/*/files", {kBronze}, "sort=rows&order=desc&limit=1");
  EXPECT_EQ(2, files["matching"]);
  ASSERT_EQ(1, files["files"].size());
  EXPECT_EQ(2, files["files"][0]["rows"]);
  EXPECT_THAT(files["files"][0]["path"].get<std::string>(), HasSubstr("region=US/"));
  EXPECT_EQ(1, Get("/api/tables/*/files", {kBronze}, "filter=region%3DEU")["matching"]);
  EXPECT_THAT(Get("/api/tables/*/files", {kBronze}, "sort=colour")["error"].get<std::string>(),
              HasSubstr("files are sorted by"));
}

TEST_F(ApiLakeTest, MaskedPartitionsAreNotInPaths) {
  CreateBronze();
  Ingest({{.id = "b", .offset = 1, .region = "US"}});
  config_.console.mask = {"region"};
  Serve(LakeRoutes);
  const std::string files = Get("/api/tables/*/files", {kBronze}).dump();
  EXPECT_THAT(files, HasSubstr("region=*/date=2025-10-24/"));
  EXPECT_THAT(files, Not(HasSubstr("US")));
  EXPECT_EQ(0, Get("/api/tables/*/files", {kBronze}, "filter=region%3DUS")["matching"]);
  EXPECT_THAT(Get("/api/tables/*", {kBronze})["partitions"].dump(), Not(HasSubstr("US")));
}

TEST_F(ApiLakeTest, HistoryHasASizeForEachVersion) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0}});
  Serve(LakeRoutes);
  Ingest({{.id = "a", .offset = 1}});
  const auto points = Get("/api/tables/*/history", {kBronze})["points"];
  ASSERT_EQ(3, points.size());
  EXPECT_EQ(0, points[0]["files"]);
  EXPECT_EQ(2, points[2]["files"]);
}

TEST_F(ApiLakeTest, ALakeWithoutTablesSaysWhatToDo) {
  Serve(LakeRoutes);
  const auto tables = Get("/api/tables");
  EXPECT_THAT(Get("/api/tables/*", {kBronze})["error"].get<std::string>(),
              HasSubstr("shopstream ingest"));
  EXPECT_TRUE(tables.contains("tables"));
}

}  // namespace
}  // namespace shopstream::console
