#include "registry/canonical.h"

#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

std::string Canonical(std::string_view schema) {
  auto text = CanonicalText(schema);
  return text.ok() ? *text : text.status().ToString();
}

TEST(CanonicalText, WhiteSpaceAndOrderOfAttributesDoNotMatter) {
  EXPECT_EQ(R"({"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"}]})",
            Canonical(R"({ "fields": [ {"type": {"type": "int"}, "name": "a"} ],
                           "namespace": "n", "name": "R", "type": "record" })"));
}

TEST(CanonicalText, DottedNamesAreSplit) {
  EXPECT_EQ(Canonical(R"({"type":"enum","name":"E","namespace":"a.b","symbols":["X"]})"),
            Canonical(R"({"type":"enum","name":"a.b.E","symbols":["X"]})"));
}

TEST(CanonicalText, InheritedNamespacesAreLeftOut) {
  EXPECT_EQ(R"({"type":"record","name":"R","namespace":"n","fields":[)"
            R"({"name":"f","type":{"type":"fixed","name":"F","size":4}},{"name":"g","type":"F"}]})",
            Canonical(R"({"type":"record","name":"n.R","fields":[
          {"name":"f","type":{"type":"fixed","name":"F","namespace":"n","size":4}},
          {"name":"g","type":"n.F"}]})"));
}

TEST(CanonicalText, WhatAReaderSeesMakesADifference) {
  const std::string plain =
      Canonical(R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"}]})");
  for (const char* other :
       {R"({"type":"record","name":"R","fields":[{"name":"a","type":"long","default":0}]})",
        R"({"type":"record","name":"R","fields":[
            {"name":"a","type":{"type":"long","logicalType":"timestamp-millis"}}]})",
        R"({"type":"record","name":"R","fields":[{"name":"a","type":"long","aliases":["b"]}]})",
        R"({"type":"record","name":"R","doc":"d","fields":[{"name":"a","type":"long"}]})"}) {
    EXPECT_NE(plain, Canonical(other)) << other;
  }
}

TEST(CanonicalText, IsItsOwnCanonicalText) {
  const std::string once = Canonical(R"({"type":"record","name":"x.R","aliases":["Q"],"fields":[
      {"name":"m","type":{"values":["null",{"type":"array","items":{"type":"string"}}],
       "type":"map"},"order":"ascending","default":{}}],"owner":"shop"})");
  EXPECT_EQ(once, Canonical(once));
}

TEST(CanonicalText, DepthIsBounded) {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_TRUE(CanonicalText(R"({"type":"int","x":)" + deep + "}").status().IsInvalid());
}

TEST(CanonicalText, NotJsonIsInvalid) { EXPECT_TRUE(CanonicalText("{").status().IsInvalid()); }

}  // namespace
}  // namespace shopstream::registry
