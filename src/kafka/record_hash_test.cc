#include "kafka/record_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace shopstream::kafka {
namespace {

// Lakes store these numbers.
TEST(ContentHash, NeverChanges) {
  EXPECT_EQ(2033747058289659666, ContentHash(-1, std::nullopt, std::nullopt));
  EXPECT_EQ(533211219913422635, ContentHash(0, "", ""));
  EXPECT_EQ(2218232074321175289,
            ContentHash(1'700'000'000'000, "42", "a value of more than eight bytes"));
}

TEST(ContentHash, TellsEveryPartOfTheContent) {
  std::set<int64_t> seen;
  int hashed = 0;
  const std::string zero(1, '\0');
  for (const int64_t timestamp_ms : {-1LL, 0LL, 1LL, 1'700'000'000'000LL, 1'700'000'000'001LL}) {
    for (const auto& key : {std::optional<std::string>(), std::optional<std::string>(""),
                            std::optional<std::string>("a"), std::optional(zero)}) {
      for (const auto& value :
           {std::optional<std::string>(), std::optional<std::string>(""),
            std::optional<std::string>("a"), std::optional(zero), std::optional(zero + zero),
            std::optional(std::string(8, '\0')), std::optional<std::string>("12345678"),
            std::optional<std::string>("123456781"), std::optional<std::string>("12345678" + zero),
            std::optional<std::string>("1234567887654321"),
            std::optional<std::string>("8765432112345678")}) {
        seen.insert(ContentHash(timestamp_ms, key, value));
        ++hashed;
      }
    }
  }
  EXPECT_EQ(hashed, static_cast<int>(seen.size()));
  EXPECT_GT(*seen.begin(), 0);
}

TEST(ContentHash, EveryBitCounts) {
  const std::string value = "0123456789abcdefghi";
  std::set<int64_t> seen{ContentHash(5, "key", value)};
  for (size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string changed = value;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_TRUE(seen.insert(ContentHash(5, "key", changed)).second) << bit;
  }
}

TEST(ContentHash, IgnoresWhereTheRecordIs) {
  RecordView record;
  record.timestamp_ms = 5;
  const int64_t hash = ContentHash(record);
  record.partition = 3;
  record.offset = 17;
  EXPECT_EQ(hash, ContentHash(record));
}

}  // namespace
}  // namespace shopstream::kafka
