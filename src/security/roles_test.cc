#include "security/roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::security {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Names kNames = {{"topic", "orders"}, {"group", "orders-group"}, {"schemas", "_schemas"}};

std::vector<std::string> Texts(const Role& role) {
  std::vector<std::string> texts;
  for (const kafka::Acl& acl : role.allow) texts.push_back(TextOf(acl));
  return texts;
}

std::string Failure(const std::string& text) {
  return ParseRoles(text, "roles.yaml", kNames).status().message();
}

std::string WithAcl(const std::string& acl) {
  return "roles:\n  reader:\n    user: reader\n    runs: ingest\n    allow:\n      - " + acl + "\n";
}

TEST(RolesTest, EachOperationIsAnAcl) {
  const auto roles = ParseRoles(R"(
roles:
  reader:
    user: alice
    runs: ingest
    allow:
      - {resource: TOPIC, name: "{topic}", operations: [READ, DESCRIBE_CONFIGS]}
      - {resource: GROUP, name: "{group}-", pattern: PREFIXED, operations: READ}
      - {resource: CLUSTER, operations: [CREATE]}
  nobody: {user: bob, runs: refine, allow: []}
)",
                                "roles.yaml", kNames)
                         .ValueOrDie();
  ASSERT_EQ(roles.size(), 2u);
  EXPECT_EQ(roles[0].name, "reader");
  EXPECT_THAT(Texts(roles[0]),
              ElementsAre("ALLOW User:alice READ on TOPIC orders (LITERAL)",
                          "ALLOW User:alice DESCRIBE_CONFIGS on TOPIC orders (LITERAL)",
                          "ALLOW User:alice READ on GROUP orders-group- (PREFIXED)",
                          "ALLOW User:alice CREATE on CLUSTER (LITERAL)"));
  EXPECT_EQ(roles[1].principal(), "User:bob");
  EXPECT_TRUE(roles[1].allow.empty());
}

TEST(RolesTest, AMistakeIsNamedWithItsLine) {
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIC, name: x, operations: [REED]}")),
              HasSubstr("roles.yaml, line 6: 'REED' is no operation; did you mean 'READ'?"));
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIK, name: x, operations: [READ]}")),
              HasSubstr("line 6: 'TOPIK' is no resource type"));
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIC, name: \"{topik}\", operations: [READ]}")),
              HasSubstr("line 6: {topik} stands for nothing; did you mean 'topic'?"));
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIC, name: \"{topic\", operations: [READ]}")),
              HasSubstr("'{' is not closed"));
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIC, operations: [READ]}")),
              HasSubstr("'name' is missing"));
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIC, name: \"\", operations: [READ]}")),
              HasSubstr("the name is empty"));
  EXPECT_THAT(Failure(WithAcl("{resource: CLUSTER, name: x, operations: [CREATE]}")),
              HasSubstr("the cluster has no name"));
  EXPECT_THAT(Failure(WithAcl("{resource: TOPIC, name: x, operation: [READ]}")),
              HasSubstr("unknown key 'operation'"));
  EXPECT_THAT(Failure("roles:\n  a: {user: u, runs: x, allow: READ}\n"),
              HasSubstr("'allow' must be a list"));
  EXPECT_THAT(Failure("roles: [a, b]\n"), HasSubstr("must be a table"));
  EXPECT_THAT(Failure("roles: {\n"), HasSubstr("roles.yaml, line"));
}

TEST(RolesTest, AUserIsAFilesNameAndHasOneRole) {
  EXPECT_THAT(Failure("roles:\n  a: {user: ../x, runs: x, allow: []}\n"),
              HasSubstr("'../x' is no name of a user"));
  EXPECT_THAT(Failure("roles:\n  a: {user: u, runs: x, allow: []}\n"
                      "  b: {user: u, runs: x, allow: []}\n"),
              HasSubstr("two roles have the user 'u'"));
}

TEST(RolesTest, SomeAreChosenByName) {
  const std::vector<Role> roles = {{"a", "a", "", {}}, {"b", "b", "", {}}, {"ingest", "c", "", {}}};
  EXPECT_EQ(Chosen(roles, {}).ValueOrDie().size(), 3u);
  EXPECT_EQ(Chosen(roles, {"ingest", "a"}).ValueOrDie().front().name, "a");
  EXPECT_THAT(Chosen(roles, {"ingset"}).status().message(),
              HasSubstr("there is no role ingset; did you mean 'ingest'?"));
}

}  // namespace
}  // namespace shopstream::security
