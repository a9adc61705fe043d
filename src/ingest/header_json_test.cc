#include "ingest/header_json.h"

#include <gtest/gtest.h>

namespace shopstream::ingest {
namespace {

TEST(HeadersToJson, TextStaysText) {
  EXPECT_EQ("[]", HeadersToJson({}));
  EXPECT_EQ(R"([{"key":"trace","value":"1"},{"key":"none","value":null},{"key":"é","value":""}])",
            HeadersToJson({{"trace", "1"}, {"none", std::nullopt}, {"é", ""}}));
}

TEST(HeadersToJson, BytesThatAreNoTextAreKeptExactly) {
  EXPECT_EQ(R"([{"key":"id","value_base64":"/wD+"}])",
            HeadersToJson({{"id", std::string("\xff\x00\xfe", 3)}}));
  EXPECT_EQ(R"([{"key_base64":"gA==","value":"x"}])", HeadersToJson({{"\x80", "x"}}));
}

}  // namespace
}  // namespace shopstream::ingest
