#include "console/api_lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "console/lake_testing.h"

namespace shopstream::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ApiLineageTest : public LakeApiTest {
 protected:
  nlohmann::ordered_json Lineage(const std::string& query) {
    return Get("/api/lineage", {}, query);
  }
};

TEST_F(ApiLineageTest, RecordsAreFoundByPlaceByEventAndFilesByPath) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1}});
  Serve(LineageRoutes);
  const auto by_place = Lineage("partition=0&offset=1")["records"];
  ASSERT_EQ(1, by_place.size());
  EXPECT_EQ("in_lake", by_place[0]["state"]);
  EXPECT_EQ("b", by_place[0]["bronze"]["row"]["event_id"]);
  EXPECT_EQ(1, Lineage("event_id=b")["records"][0]["offset"]);
  EXPECT_EQ(0, Lineage("event_id=x")["records"].size());
  EXPECT_EQ(config_.kafka.topic, Lineage("event_id=x")["topic"]);
  const std::string path = "bronze-events/" + by_place[0]["bronze"]["file"].get<std::string>();
  EXPECT_EQ(1, Lineage("file=" + PercentEncode(path))["file"]["partitions"][0]["last_offset"]);
}

TEST_F(ApiLineageTest, WrongQuestionsAndAMissingLakeAreExplained) {
  Serve(LineageRoutes);
  EXPECT_EQ("shopstream ingest", Lineage("partition=0&offset=0")["remedy"]);
  CreateBronze();
  EXPECT_THAT(Lineage("partition=0")["error"].get<std::string>(), HasSubstr("give partition and"));
  EXPECT_THAT(Lineage("partition=-1&offset=0")["error"].get<std::string>(),
              HasSubstr("partition=-1 is not a whole number"));
  EXPECT_THAT(Lineage("file=../../etc/passwd")["error"].get<std::string>(),
              HasSubstr("is not below a table"));
  EXPECT_TRUE(Lineage("file=bronze-events/../../../etc/passwd").contains("error"));
}

TEST_F(ApiLineageTest, MaskedFieldsAreHiddenAndNotSearched) {
  CreateBronze();
  Ingest({{.id = "secret", .offset = 0, .region = "ASIA", .user = 70001}});
  config_.console.mask = {"event_id", "user_id", "region"};
  Serve(LineageRoutes);
  EXPECT_THAT(Lineage("event_id=secret")["error"].get<std::string>(), HasSubstr("console.mask"));
  const std::string record = Lineage("partition=0&offset=0").dump();
  EXPECT_THAT(record, HasSubstr("region=*/date"));
  EXPECT_THAT(record, Not(HasSubstr("70001")));
  EXPECT_THAT(record, Not(HasSubstr("secret")));
  EXPECT_THAT(record, Not(HasSubstr("ASIA")));
}

TEST_F(ApiLineageTest, AFileIsFoundByItsHiddenPathOnly) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0, .region = "ASIA"}});
  config_.console.mask = {"region"};
  Serve(LineageRoutes);
  const std::string shown =
      "bronze-events/" +
      Lineage("partition=0&offset=0")["records"][0]["bronze"]["file"].get<std::string>();
  const auto file = Lineage("file=" + PercentEncode(shown));
  EXPECT_EQ(0, file["file"]["partitions"][0]["last_offset"]);
  EXPECT_THAT(file.dump(), Not(HasSubstr("ASIA")));
  std::string real = shown;
  real.replace(real.find('*'), 1, "ASIA");
  const auto refused = Lineage("file=" + PercentEncode(real));
  real.replace(real.find("ASIA"), 4, "EU");
  EXPECT_EQ(refused["error"], Lineage("file=" + PercentEncode(real))["error"]);
  EXPECT_THAT(refused["error"].get<std::string>(), HasSubstr("console.mask"));
}

}  // namespace
}  // namespace shopstream::console
