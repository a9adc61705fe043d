#include "registry/references.h"

#include <gtest/gtest.h>

#include "avro/schema.h"

namespace shopstream::registry {
namespace {

constexpr const char* kItem = R"({"type":"record","name":"Item","namespace":"shop","fields":[
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}}]})";

std::string CanonicalOf(const std::string& schema, const std::vector<std::string>& definitions) {
  const auto whole = SelfContained(schema, definitions);
  if (!whole.ok()) return whole.status().ToString();
  const auto parsed = avro::Schema::Parse(*whole);
  return parsed.ok() ? parsed->CanonicalForm() : parsed.status().ToString() + " in " + *whole;
}

TEST(SelfContained, ATypeIsTakenInWhereItIsFirstNamed) {
  EXPECT_EQ(R"({"name":"Cart","type":"record","fields":[)"
            R"({"name":"a","type":{"name":"shop.Item","type":"record","fields":[{"name":"kind",)"
            R"("type":{"name":"shop.Kind","type":"enum","symbols":["A"]}}]}},)"
            R"({"name":"b","type":"shop.Item"}]})",
            CanonicalOf(R"({"type":"record","name":"Cart","fields":[
                {"name":"a","type":"shop.Item"},{"name":"b","type":"shop.Item"}]})",
                        {kItem}));
}

TEST(SelfContained, ATypeWithinAnotherMayBeNamedBeforeIt) {
  EXPECT_EQ(R"([{"name":"shop.Kind","type":"enum","symbols":["A"]},)"
            R"({"name":"shop.Item","type":"record","fields":[)"
            R"({"name":"kind","type":"shop.Kind"}]}])",
            CanonicalOf(R"(["shop.Kind","shop.Item"])", {kItem}));
}

TEST(SelfContained, HostileTextsAreRefused) {
  EXPECT_EQ("{", *SelfContained("{", {})) << "without definitions it is not looked at";
  EXPECT_TRUE(SelfContained("{", {kItem}).status().IsInvalid());
  EXPECT_TRUE(SelfContained("\"int\"", {std::string(100'000, '[')}).status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::registry
