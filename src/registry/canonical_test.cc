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

TEST(CanonicalText, IsThatOfJava) {
  // A type in no namespace within one that has one, a name that is that of a kind of type, a
  // definition after its use, comments, and attributes that have no meaning in their place.
  EXPECT_EQ(R"({"type":"record","name":"R","namespace":"n","fields":[)"
            R"({"name":"a","type":{"type":"enum","name":"E","namespace":"","symbols":["X"]}},)"
            R"({"name":"b","type":{"type":"fixed","name":"map","size":2}},)"
            R"({"name":"c","type":["E","n.map"]}],"default":1})",
            Canonical(R"({"type":"record","name":"n.R",/* one */"doc":7,"symbols":[],"default":1,
      "fields":[{"name":"a","type":"E"},{"name":"b","type":"map","order":"ASCENDING"},
                {"name":"c","type":[{"type":"enum","name":"E","namespace":"","symbols":["X"],
                    "default":null}, {"type":"fixed","name":"map","size":2}]}]})"));
}

TEST(CanonicalText, NumbersAndTextsStayAsWritten) {
  const std::string text =
      R"({"type":"record","name":"größe","fields":[{"name":"f","type":"double","default":1e2}],)"
      R"("x":1.0,"z":12345678901234567890123})";
  EXPECT_EQ(text, Canonical(text));
  const auto with_default = [](const std::string& value) {
    return R"({"type":"record","name":"R","fields":[{"name":"f","type":"float","default":)" +
           value + "}]}";
  };
  for (const auto& [given, stored] :
       std::vector<std::pair<std::string, std::string>>{{R"("0.50")", "0.5"},
                                                        {R"(" 1 ")", "1.0"},
                                                        {R"("1e7")", "1.0E7"},
                                                        {R"(".5")", "0.5"},
                                                        {R"("1f")", "1.0"},
                                                        {R"("NaN")", R"("NaN")"},
                                                        {R"("x")", R"("x")"},
                                                        {"0.50", "0.50"}}) {
    EXPECT_EQ(with_default(stored), Canonical(with_default(given)));
  }
}

std::string Normalized(std::string_view schema, const std::vector<std::string>& types = {}) {
  auto text = NormalizedText(schema, types);
  return text.ok() ? *text : text.status().ToString();
}

TEST(NormalizedText, NamesAreFullAndAttributesSorted) {
  EXPECT_EQ(
      R"({"name":"n.R","type":"record","fields":[{"name":"a","type":{"name":"n.F","type":"fixed",)"
      R"("size":4,"logicalType":"decimal","precision":4,"aliases":["n.A","o.B"]},)"
      R"("order":"ascending","default":"\u0001"},{"name":"b","type":"n.F","order":"ignore"}],)"
      R"("a":[{"x":1,"y":2.0}],"z":1})",
      Normalized(R"({"type":"record","name":"R","namespace":"n","z":1,"a":[{"y":2.0,"x":1}],
          "doc":"","fields":[{"name":"a","type":"F","default":"\u0001"},{"order":"ignore",
          "type":{"aliases":["o.B","A"],"type":"fixed","name":"F","size":4,"scale":0,"precision":4,
                  "logicalType":"decimal"},"name":"b"}]})"));
}

TEST(NormalizedText, BareNamesAreThoseOfTheNamespaceOrOfNone) {
  const char* const schema = R"({"type":"record","name":"n.R","fields":[{"name":"a","type":"T"}]})";
  const auto with_type = [](const std::string& name) {
    return R"({"name":"n.R","type":"record","fields":[{"name":"a","type":")" + name +
           R"(","order":"ascending"}]})";
  };
  EXPECT_EQ(with_type("n.T"), Normalized(schema));
  EXPECT_EQ(with_type("T"), Normalized(schema, {"T"}));
  EXPECT_EQ(with_type("n.T"), Normalized(schema, {"T", "n.T"}));
}

TEST(NormalizedText, IsItsOwnNormalizedText) {
  const std::string bare = Normalized(R"({"type":"record","name":"a.R","fields":[
      {"name":"x","type":{"type":"fixed","name":"F","namespace":"","size":1}}]})");
  EXPECT_EQ(bare, Normalized(bare));
  const std::string once = Normalized(R"(["null",{"type":"record","name":"R","fields":[
      {"name":"x","type":{"type":"enum","name":"E","namespace":"o","symbols":["A"],"default":"A"}},
      {"name":"y","type":{"type":"int","logicalType":"date"}}]}])");
  EXPECT_EQ(once, Normalized(once));
}

TEST(CanonicalText, DepthIsBounded) {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_TRUE(CanonicalText(R"({"type":"int","x":)" + deep + "}").status().IsInvalid());
}

// A record that uses the first of `length` types, each of which uses the next one; the list of
// them, which follows, nests three deep.
std::string ForwardChain(int length) {
  std::string types = R"({"type":"record","name":"T0","fields":[]})";
  for (int i = 1; i <= length; ++i) {
    const std::string next = i == length ? "int" : "T" + std::to_string(i + 1);
    types += R"(,{"type":"record","name":"T)" + std::to_string(i) +
             R"(","fields":[{"name":"f","type":")" + next + R"("}]})";
  }
  return R"({"type":"record","name":"R","fields":[{"name":"a","type":"T1"},{"name":"b","type":[)" +
         types + "]}]}";
}

TEST(CanonicalText, DepthOfForwardReferencesIsBounded) {
  for (const auto form : {CanonicalText, NormalizedText}) {
    EXPECT_TRUE(form(ForwardChain(400), {}).ok());
    EXPECT_TRUE(form(ForwardChain(600), {}).status().IsInvalid());
    EXPECT_TRUE(form(ForwardChain(15'000), {}).status().IsInvalid());
  }
}

TEST(CanonicalText, NotJsonIsInvalid) { EXPECT_TRUE(CanonicalText("{").status().IsInvalid()); }

}  // namespace
}  // namespace shopstream::registry
