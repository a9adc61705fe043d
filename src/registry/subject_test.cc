#include "registry/subject.h"

#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

TEST(SubjectFor, IsNamedAsByConfluentsClients) {
  RegistryConfig config;
  const auto naming = [&] { return SubjectNaming::From(config); };
  EXPECT_EQ("orders-value", SubjectFor(naming(), "orders", "shop.Placed"));
  EXPECT_FALSE(naming().needs_record());
  config.subject_strategy = "record";
  EXPECT_EQ("shop.Placed", SubjectFor(naming(), "orders", "shop.Placed"));
  EXPECT_TRUE(naming().needs_record());
  config.subject_strategy = "topic_record";
  EXPECT_EQ("orders-shop.Placed", SubjectFor(naming(), "orders", "shop.Placed"));
  config.subject = "mine";
  EXPECT_EQ("mine", SubjectFor(naming(), "orders", "shop.Placed"));
  EXPECT_FALSE(naming().needs_record());
}

}  // namespace
}  // namespace shopstream::registry
