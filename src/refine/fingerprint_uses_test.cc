#include "refine/fingerprint_uses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "simulate/memory_store.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<std::vector<FingerprintUse>> StoredAs(const std::map<std::string, std::string>& properties) {
  simulate::MemoryStore store;
  lake::TableSpec spec = tables::QuarantineSpec("rejects");
  spec.properties = properties;
  return ReadFingerprintUses(*(*lake::Table::OpenOrCreate(&store, spec))->snapshot());
}

TEST(FingerprintUsesTest, AreReadAsWritten) {
  EXPECT_THAT(*StoredAs({}), IsEmpty());
  const std::vector<FingerprintUse> first = {{"a", 1}}, both = {{"a", 1}, {"b", 7}};
  EXPECT_EQ(first, *StoredAs(FingerprintProperty({}, "a", 1)));
  EXPECT_EQ(both, *StoredAs(FingerprintProperty(first, "b", 7)));
  EXPECT_THAT(StoredAs({{"shopstream.refine.fingerprints", "[{}]"}}).status().message(),
              HasSubstr("property shopstream.refine.fingerprints is damaged"));
}

TEST(FingerprintUsesTest, OnlyAChangeIsRecorded) {
  EXPECT_THAT(FingerprintProperty({{"a", 1}, {"b", 7}}, "b", 8), IsEmpty());
  EXPECT_EQ(3, StoredAs(FingerprintProperty({{"a", 1}, {"b", 7}}, "a", 9))->size());
}

TEST(FingerprintUsesTest, TheirNumberIsBounded) {
  std::vector<FingerprintUse> uses;
  for (int64_t pass = 1; pass <= 150; ++pass) {
    uses = *StoredAs(FingerprintProperty(uses, std::to_string(pass), pass));
  }
  ASSERT_EQ(100, uses.size());
  EXPECT_EQ(51, uses.front().first_pass);
}

}  // namespace
}  // namespace shopstream::refine
