#include "security/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "security/check.h"

namespace shopstream::security {
namespace {

using kafka::Access;
using kafka::Operation;
using kafka::PatternType;
using kafka::Resource;
using kafka::ResourceType;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const Resource kOrders{ResourceType::kTopic, "orders"};
const Resource kCluster{ResourceType::kCluster, "kafka-cluster"};

Role Ingest() {
  return {
      "ingest", "alice", "", {{"User:alice", kOrders, PatternType::kLiteral, Operation::kRead}}};
}

Role Admin() {
  return {"admin",
          "root",
          "",
          {{"User:root", kCluster, PatternType::kLiteral, Operation::kCreate},
           {"User:root", {ResourceType::kTopic, "*"}, PatternType::kLiteral, Operation::kAlter},
           {"User:root",
            {ResourceType::kTransactionalId, "shop"},
            PatternType::kPrefixed,
            Operation::kWrite}}};
}

Access Allowing(const Resource& resource, const std::vector<Operation>& allowed) {
  Access access;
  for (const Operation operation : OperationsOf(resource.type)) {
    access.allowed[operation] = std::ranges::find(allowed, operation) != allowed.end();
  }
  return access;
}

Act Find(const std::vector<Act>& acts, const Resource& resource, Operation operation) {
  const auto found = std::ranges::find_if(
      acts, [&](const Act& act) { return act.resource == resource && act.operation == operation; });
  EXPECT_NE(found, acts.end());
  return *found;
}

TEST(AccessTest, EveryOperationIsCompared) {
  const auto acts =
      Compare(Ingest(), {{kOrders, Allowing(kOrders, {Operation::kRead, Operation::kDescribe})}});
  EXPECT_EQ(acts.size(), OperationsOf(ResourceType::kTopic).size());
  EXPECT_TRUE(std::ranges::all_of(acts, &Act::as_the_table_says));
  EXPECT_TRUE(Find(acts, kOrders, Operation::kDescribe).expected);  // READ includes it.
  EXPECT_EQ(RemedyFor(acts.front(), Ingest()), "");
}

TEST(AccessTest, AMissingAclIsNamedAsItIsAdded) {
  const auto acts = Compare(Ingest(), {{kOrders, Allowing(kOrders, {Operation::kDescribe})}});
  const Act read = Find(acts, kOrders, Operation::kRead);
  EXPECT_EQ(read.finding(), Act::Finding::kMissing);
  EXPECT_THAT(RemedyFor(read, Ingest()),
              HasSubstr("add the ACL ALLOW User:alice READ on TOPIC orders (LITERAL)"));
  EXPECT_TRUE(Find(acts, kOrders, Operation::kDescribe).as_the_table_says());
}

TEST(AccessTest, WhatTheTableDoesNotAllowIsExcess) {
  const auto acts = Compare(
      Ingest(),
      {{kOrders, Allowing(kOrders, {Operation::kRead, Operation::kDescribe, Operation::kWrite})}});
  const Act write = Find(acts, kOrders, Operation::kWrite);
  EXPECT_EQ(write.finding(), Act::Finding::kExcess);
  EXPECT_THAT(RemedyFor(write, Ingest()),
              HasSubstr("remove the ACL that allows User:alice WRITE on TOPIC orders"));
}

TEST(AccessTest, WhatCouldNotBeTriedMattersOnlyIfNeeded) {
  const auto acts =
      Compare(Ingest(), {{kOrders, Access{{{Operation::kDescribe, true}}, "there is no topic"}}});
  EXPECT_EQ(Find(acts, kOrders, Operation::kRead).finding(), Act::Finding::kUnknown);
  EXPECT_THAT(RemedyFor(Find(acts, kOrders, Operation::kRead), Ingest()),
              HasSubstr("there is no topic"));
  EXPECT_EQ(Find(acts, kOrders, Operation::kWrite).finding(), Act::Finding::kNotTried);
}

TEST(AccessTest, CreatingAnyTopicIncludesThisOne) {
  const auto acts =
      Compare(Admin(), {{kCluster, Allowing(kCluster, {Operation::kCreate})},
                        {kOrders, Allowing(kOrders, {Operation::kAlter, Operation::kDescribe})}});
  EXPECT_TRUE(std::ranges::all_of(acts, &Act::as_the_table_says));
  EXPECT_TRUE(Find(acts, kOrders, Operation::kCreate).expected);
  const auto ingest =
      Compare(Ingest(), {{kCluster, Allowing(kCluster, {Operation::kCreate})},
                         {kOrders, Allowing(kOrders, {Operation::kRead, Operation::kDescribe})}});
  EXPECT_EQ(Find(ingest, kOrders, Operation::kCreate).finding(), Act::Finding::kExcess);
}

TEST(AccessTest, EveryRoleIsTriedWithTheResourcesOfAll) {
  const auto resources = ResourcesOf({Ingest(), Admin()}, {{"schemas", "_schemas"}});
  EXPECT_THAT(resources, Contains(kOrders));
  EXPECT_THAT(resources, Contains(kCluster));
  EXPECT_THAT(resources, Contains(Resource{ResourceType::kTopic, "_schemas"}));
  EXPECT_THAT(resources, Contains(Resource{ResourceType::kTransactionalId, "shop-security-check"}));
  EXPECT_THAT(resources, Not(Contains(Resource{ResourceType::kTopic, "*"})));
  Role registry = Admin();
  registry.allow.back().pattern = PatternType::kLiteral;
  EXPECT_THAT(ResourcesOf({registry}, {}),
              Not(Contains(Resource{ResourceType::kTransactionalId, "shop"})));
  // What no role names.
  EXPECT_THAT(resources, Contains(Resource{ResourceType::kGroup, "shopstream-security-check"}));
}

TEST(CheckRole, NeedsAProtocolWithALogin) {
  for (const char* protocol : {"SSL", "ssl", "PLAINTEXT"}) {
    KafkaConfig config;
    config.security["security.protocol"] = protocol;
    EXPECT_THAT(CheckRole(LoggedInAs(config, "alice", "x"), Ingest(), {}).status().message(),
                HasSubstr("kafka.security.security.protocol SASL_SSL"))
        << protocol;
  }
  EXPECT_EQ("SASL_SSL", LoggedInAs({}, "alice", "x").security.at("security.protocol"));
}

}  // namespace
}  // namespace shopstream::security
