#include "kafka/acl.h"

#include <gtest/gtest.h>

namespace shopstream::kafka {
namespace {

Acl On(const std::string& topic, Operation operation, PatternType pattern = PatternType::kLiteral) {
  return {"User:alice", {ResourceType::kTopic, topic}, pattern, operation};
}

const Resource kOrders{ResourceType::kTopic, "orders"};

TEST(AclTest, EveryNameIsReadBack) {
  for (const char* name :
       {"ALL", "READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "CLUSTER_ACTION",
        "DESCRIBE_CONFIGS", "ALTER_CONFIGS", "IDEMPOTENT_WRITE"}) {
    EXPECT_EQ(NameOf(ParseOperation(name).ValueOrDie()), name);
  }
  for (const char* name : {"TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID"}) {
    EXPECT_EQ(NameOf(ParseResourceType(name).ValueOrDie()), name);
  }
  EXPECT_EQ(NameOf(ParsePatternType("PREFIXED").ValueOrDie()), "PREFIXED");
}

TEST(AclTest, AnUnknownNameIsRefusedWithTheNearest) {
  const std::string message = ParseOperation("REED").status().message();
  EXPECT_NE(message.find("'REED' is no operation"), std::string::npos) << message;
  EXPECT_NE(message.find("READ"), std::string::npos) << message;
}

TEST(AclTest, IsShownAsItIsAdded) {
  EXPECT_EQ(TextOf(On("orders", Operation::kRead)),
            "ALLOW User:alice READ on TOPIC orders (LITERAL)");
  EXPECT_EQ(TextOf(Resource{ResourceType::kCluster, std::string(kClusterName)}), "CLUSTER");
}

TEST(AclTest, SomeOperationsIncludeOthers) {
  for (const auto operation :
       {Operation::kRead, Operation::kWrite, Operation::kDelete, Operation::kAlter}) {
    EXPECT_TRUE(Allows(On("orders", operation), kOrders, Operation::kDescribe));
    EXPECT_FALSE(Allows(On("orders", operation), kOrders, Operation::kDescribeConfigs));
  }
  EXPECT_FALSE(Allows(On("orders", Operation::kCreate), kOrders, Operation::kDescribe));
  EXPECT_TRUE(Allows(On("orders", Operation::kAlterConfigs), kOrders, Operation::kDescribeConfigs));
  EXPECT_FALSE(Allows(On("orders", Operation::kAlterConfigs), kOrders, Operation::kDescribe));
  EXPECT_FALSE(Allows(On("orders", Operation::kDescribe), kOrders, Operation::kRead));
  for (const Operation operation : OperationsOf(ResourceType::kTopic)) {
    EXPECT_TRUE(Allows(On("orders", Operation::kAll), kOrders, operation));
  }
}

TEST(AclTest, APatternDecidesWhichResources) {
  EXPECT_FALSE(Allows(On("order", Operation::kRead), kOrders, Operation::kRead));
  EXPECT_TRUE(
      Allows(On("order", Operation::kRead, PatternType::kPrefixed), kOrders, Operation::kRead));
  EXPECT_TRUE(Allows(On("*", Operation::kRead), kOrders, Operation::kRead));
  EXPECT_FALSE(
      Allows(On("*", Operation::kRead, PatternType::kPrefixed), kOrders, Operation::kRead));
  const Resource group{ResourceType::kGroup, "orders"};
  EXPECT_FALSE(Allows(On("orders", Operation::kRead), group, Operation::kRead));
}

}  // namespace
}  // namespace shopstream::kafka
