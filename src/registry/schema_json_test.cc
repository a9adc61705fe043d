#include "registry/schema_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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

TEST(SchemaJsonTest, PrintsFractionsByValue) {
  const auto by_value = [](std::string_view text) { return DumpByValue(*ParseSchemaJson(text)); };
  EXPECT_EQ("[0.1,100.0,1.0E-7,1.0,1,123456789012345678901234567890]",
            by_value("[0.10,1e2,0.0000001,1.0,1,123456789012345678901234567890]"));
  EXPECT_EQ("[-0.0,1.0E7,9999999.0,0.001,9.99E-4,-1.5E300]",
            by_value("[-0.0,1e7,9999999.0,1e-3,0.000999,-1.5e300]"));
  EXPECT_EQ("NaN", JavaText(std::nan("")));
  EXPECT_EQ("-Infinity", JavaText(-HUGE_VAL));
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
