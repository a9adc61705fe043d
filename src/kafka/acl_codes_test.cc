#include "kafka/acl_codes.h"

#include <gtest/gtest.h>

#include <vector>

namespace shopstream::kafka {
namespace {

TEST(AclCodesTest, EveryValueIsReadBack) {
  for (int code = RD_KAFKA_ACL_OPERATION_ALL; code < RD_KAFKA_ACL_OPERATION__CNT; ++code) {
    const auto raw = static_cast<rd_kafka_AclOperation_t>(code);
    const auto operation = OperationOf(raw);
    ASSERT_TRUE(operation) << code;
    EXPECT_EQ(CodeOf(*operation), raw);
    EXPECT_EQ(NameOf(*operation), rd_kafka_AclOperation_name(raw));
  }
  for (const auto type : {ResourceType::kTopic, ResourceType::kGroup, ResourceType::kCluster,
                          ResourceType::kTransactionalId}) {
    EXPECT_EQ(ResourceTypeOf(CodeOf(type)), type);
  }
  for (const auto pattern : {PatternType::kLiteral, PatternType::kPrefixed}) {
    EXPECT_EQ(PatternTypeOf(CodeOf(pattern)), pattern);
  }
}

TEST(AclCodesTest, WhatOnlyLaterBrokersKnowIsNothing) {
  EXPECT_FALSE(OperationOf(static_cast<rd_kafka_AclOperation_t>(13)));
  EXPECT_FALSE(ResourceTypeOf(static_cast<rd_kafka_ResourceType_t>(6)));
  EXPECT_FALSE(PatternTypeOf(RD_KAFKA_RESOURCE_PATTERN_MATCH));
}

}  // namespace
}  // namespace shopstream::kafka
