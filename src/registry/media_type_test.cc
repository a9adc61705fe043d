#include "registry/media_type.h"

#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

TEST(MediaType, TheOneMostWantedIsChosen) {
  EXPECT_EQ("application/vnd.schemaregistry.v1+json", ChooseMediaType(""));
  EXPECT_EQ("application/vnd.schemaregistry.v1+json", ChooseMediaType("*/*"));
  EXPECT_EQ("application/json", ChooseMediaType("application/json"));
  EXPECT_EQ("application/json", ChooseMediaType("text/html, application/JSON;q=0.5"));
  EXPECT_EQ("application/vnd.schemaregistry+json",
            ChooseMediaType("application/json;q=0.1, application/vnd.schemaregistry+json;q=0.9"));
  EXPECT_EQ(std::nullopt, ChooseMediaType("text/html"));
  EXPECT_EQ(std::nullopt, ChooseMediaType("application/json;q=0"));
}

TEST(MediaType, JsonIsTakenByAnyOfItsNames) {
  for (const char* type : {"", "application/json; charset=utf-8", "application/octet-stream",
                           "application/vnd.schemaregistry.v1+json"}) {
    EXPECT_TRUE(TakesMediaType(type)) << type;
  }
  EXPECT_FALSE(TakesMediaType("application/x-www-form-urlencoded"));
}

}  // namespace
}  // namespace shopstream::registry
