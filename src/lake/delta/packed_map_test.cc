#include "lake/delta/packed_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;

std::map<std::string, std::string> Content(const PackedMap& map) {
  std::map<std::string, std::string> out;
  map.ForEach([&out](std::string_view key, std::string_view value) {
    EXPECT_TRUE(out.emplace(key, value).second) << key << " occurs twice";
  });
  return out;
}

TEST(PackedMapTest, ACopyDoesNotSeeLaterChanges) {
  PackedMap map;
  map.Put({{"a", "1"}, {"b", "2"}});
  const PackedMap copy = map;
  map.Put({{"b", "3"}, {"c", "4"}});
  map.Erase({"a", "absent"});
  EXPECT_EQ((std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}), Content(copy));
  EXPECT_EQ((std::map<std::string, std::string>{{"b", "3"}, {"c", "4"}}), Content(map));
  EXPECT_EQ(2U, map.size());
  EXPECT_THAT(map.Find({"c", "a", "b"}), ElementsAre("4", std::nullopt, "3"));
}

// Compares with std::map over many blocks, small and sealed: appends, replaces and erases.
TEST(PackedMapTest, BehavesAsAMap) {
  PackedMap map;
  std::map<std::string, std::string> model;
  uint32_t random = 1;
  for (int round = 0; round < 400; ++round) {
    random = random * 1664525 + 1013904223;
    const std::string key = "key" + std::to_string(random >> 16 & 0x7f);
    if (random >> 28 == 0) {
      map.Erase({key});
      model.erase(key);
    } else {
      const std::string value((random >> 20 & 0x7ff) * 8, static_cast<char>('a' + round % 26));
      map.Put({{key, value}});
      model[key] = value;
    }
    ASSERT_EQ(model.size(), map.size());
  }
  EXPECT_EQ(model, Content(map));
}

TEST(PackedMapTest, AHundredThousandFilesAreSmall) {
  PackedMap map;
  std::string statistics = R"({"numRecords":1000,"minValues":{)";
  for (int i = 0; i < 15; ++i) statistics += "\"column_" + std::to_string(i) + "\":\"value\",";
  for (int commit = 0; commit < 1000; ++commit) {
    std::vector<PackedMap::Entry> files;
    for (int i = 0; i < 100; ++i) {
      files.emplace_back("region=US/date=2025-10-24/part-" + NewUuid() + ".parquet",
                         statistics + NewUuid() + NewUuid());
    }
    const PackedMap before = map;  // As a commit does: the old snapshot stays.
    map.PutNew(files);
  }
  EXPECT_EQ(100000U, map.size());
  EXPECT_LT(map.memory_bytes(), 20 << 20);
}

}  // namespace
}  // namespace shopstream::lake
