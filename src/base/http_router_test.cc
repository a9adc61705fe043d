#include "base/http_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(Router, ASubjectMayHoldSlashes) {
  const auto match = [](const char* pattern, const char* path) {
    return MatchPath(pattern, SplitPath(path));
  };
  EXPECT_THAT(match("subjects/**/versions/*", "/subjects/a%2Fb/versions/1"),
              Optional(ElementsAre("a/b", "1")));
  EXPECT_THAT(match("subjects/**/versions/*", "/subjects/a/b/versions/1/"),
              Optional(ElementsAre("a/b", "1")));
  EXPECT_FALSE(match("subjects/**/versions/*", "/subjects/versions/1").has_value());
  EXPECT_FALSE(match("subjects", "/subjects/a").has_value());
  EXPECT_THAT(match("", "/"), Optional(ElementsAre()));
}

}  // namespace
}  // namespace shopstream
