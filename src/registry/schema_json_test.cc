#include "registry/schema_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

using testing::HasSubstr;

std::string RoundTrip(std::string_view text) { return DumpSchemaJson(*ParseSchemaJson(text)); }

TEST(SchemaJsonTest, KeepsOrderAndSpelling) {
  const std::string text =
      R"({"z":1.0,"a":1e2,"n":12345678901234567890,"big":123456789012345678901234567890,)"
      R"("x":-0.50,"t":"größe \"\\/\u0001\u001F\n","l":[null,true,{}],"i":-9223372036854775808})";
  EXPECT_EQ(text, RoundTrip(text));
  EXPECT_EQ("[1,2]", RoundTrip(" [ 1, /* one */\n 2 ] "));
  EXPECT_EQ(R"({"a":2})", RoundTrip(R"({"a":1,"a":2})"));
}

TEST(SchemaJsonTest, SortsObjectsAtEveryLevel) {
  EXPECT_EQ(R"({"a":[{"b":1.0,"c":2}],"d":{}})",
            DumpSchemaJson(SortedByName(*ParseSchemaJson(R"({"d":{},"a":[{"c":2,"b":1.0}]})"))));
}

TEST(SchemaJsonTest, RefusesWhatIsNoJson) {
  EXPECT_THAT(ParseSchemaJson("{").status().message(), HasSubstr("not a schema"));
  EXPECT_THAT(ParseSchemaJson(std::string(5'000, '[')).status().message(), HasSubstr("deep"));
  EXPECT_FALSE(ParseSchemaJson("").ok());
  EXPECT_FALSE(ParseSchemaJson("1 2").ok());
}

}  // namespace
}  // namespace shopstream::registry
