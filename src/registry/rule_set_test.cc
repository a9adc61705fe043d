#include "registry/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

using testing::HasSubstr;

std::string FaultOf(const std::string& list, const std::string& rules) {
  return FaultOfRules(R"({")" + list + "\":[" + rules + "]}").value_or("");
}

TEST(RuleSetTest, FaultsAreNamed) {
  EXPECT_EQ("", FaultOfRules("").value_or(""));
  EXPECT_EQ("", FaultOf("domainRules", R"({"name":"größe-1","type":"CEL"})"));
  EXPECT_EQ("", FaultOf("domainRules", R"({"name":"a","type":"CEL","onFailure":"DLQ,NONE"})"));
  EXPECT_EQ("", FaultOf("migrationRules", R"({"name":"a","type":"X","mode":"UPDOWN"})"));
  EXPECT_EQ("Missing rule name", FaultOf("domainRules", R"({"type":"CEL"})"));
  EXPECT_EQ("Empty rule name", FaultOf("domainRules", R"({"name":"","type":"CEL"})"));
  EXPECT_EQ("Rule name too long",
            FaultOf("domainRules", R"({"type":"CEL","name":")" + std::string(65, 'a') + "\"}"));
  EXPECT_THAT(FaultOf("domainRules", R"({"name":"-a","type":"CEL"})"), HasSubstr("Illegal"));
  EXPECT_THAT(FaultOf("domainRules", R"({"name":"a b","type":"CEL"})"), HasSubstr("Illegal"));
  EXPECT_EQ("Missing rule type", FaultOf("domainRules", R"({"name":"a"})"));
  EXPECT_THAT(FaultOf("migrationRules", R"({"name":"a","type":"X","mode":"READ"})"),
              HasSubstr("Migration rules can only be"));
  EXPECT_THAT(FaultOf("migrationRules", R"({"name":"a","type":"X"})"), HasSubstr("Migration"));
  EXPECT_THAT(FaultOf("domainRules", R"({"name":"a","type":"X","mode":"UPGRADE"})"),
              HasSubstr("Domain rules can only be"));
  EXPECT_THAT(FaultOf("domainRules", R"({"name":"a","type":"X","mode":"READ","onSuccess":"A,B"})"),
              HasSubstr("Multiple actions"));
  EXPECT_THAT(FaultOf("domainRules", R"({"name":"a","type":"X"},{"name":"a","type":"Y"})"),
              HasSubstr("duplicate name 'a'"));
  EXPECT_THAT(FaultOf("domainRules", "7"), HasSubstr("other than rules"));
}

TEST(RuleSetTest, MergesByName) {
  EXPECT_EQ(R"({"domainRules":[{"name":"a"},{"name":"b","type":"new"},{"name":"c"}],)"
            R"("migrationRules":[{"name":"m"}]})",
            MergeRuleSets(
                R"({"domainRules":[{"name":"a"},{"name":"b"}],"migrationRules":[{"name":"m"}]})",
                R"({"domainRules":[{"name":"b","type":"new"},{"name":"c"}]})"));
  EXPECT_EQ("{}", MergeRuleSets("{}", ""));
}

TEST(RuleSetTest, DefaultsAreWrittenOut) {
  EXPECT_EQ(R"({"domainRules":[{"name":"a","mode":"READ","kind":"TRANSFORM"},)"
            R"({"kind":"CONDITION","mode":"WRITEREAD"}]})",
            *ReadRules(R"({"domainRules":[{"name":"a","mode":"READ"},{"kind":"CONDITION"}]})"));
  EXPECT_EQ("{}", *ReadRules(R"({"domainRules":null,"migrationRules":[],"x":1})"));
}

TEST(RuleSetTest, ShapesAreChecked) {
  const auto of_rule = [](const std::string& members) {
    return R"({"domainRules":[{"name":"a","type":"T",)" + members + "}]}";
  };
  for (const char* wrong : {R"("kind":"FOO")", R"("tags":"PII")", R"("params":{"a":[]})",
                            R"("disabled":"no")", R"("type":{})", R"("expr":[])"}) {
    EXPECT_TRUE(ReadRules(of_rule(wrong)).status().IsInvalid()) << wrong;
  }
  EXPECT_TRUE(ReadRules(R"({"domainRules":{}})").status().IsInvalid());
  EXPECT_TRUE(ReadRules(R"({"domainRules":[7]})").status().IsInvalid());
  EXPECT_TRUE(AreSameRules(of_rule(R"("tags":["a","b"],"disabled":false)"),
                           of_rule(R"("tags":["b","a","b"])")));
  EXPECT_FALSE(AreSameRules(of_rule(R"("tags":["a"])"), of_rule(R"("tags":["b"])")));
}

TEST(RuleSetTest, TypesAreFoundInBothLists) {
  const std::string rules = R"({"migrationRules":[{"type":"JSONATA"}],"domainRules":null})";
  EXPECT_TRUE(HasRuleOfType(rules, "JSONATA"));
  EXPECT_FALSE(HasRuleOfType(rules, "CEL"));
}

}  // namespace
}  // namespace shopstream::registry
