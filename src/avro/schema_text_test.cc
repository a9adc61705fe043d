#include "avro/schema_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

TEST(SchemaTextTest, CommentsBecomeSpaces) {
  EXPECT_EQ("        \n[1,    \n2]", ValueOf(WithoutComments("/* \"a */\n[1, //x\n2]")));
  EXPECT_EQ(R"({"a": "/* no */ // no \" //"})",
            ValueOf(WithoutComments(R"({"a": "/* no */ // no \" //"})")));
  EXPECT_EQ("1 / 2", ValueOf(WithoutComments("1 / 2")));  // The JSON parser refuses it.
  EXPECT_EQ("  ", ValueOf(WithoutComments("//")));
}

TEST(SchemaTextTest, CommentsMustEndBeforeTheDocumentDoes) {
  EXPECT_THAT(WithoutComments("[1 /* 2]").status().message(), HasSubstr("at byte 3: the comment"));
  EXPECT_THAT(WithoutComments("[1]  // 2").status().message(), HasSubstr("at byte 5: a comment"));
  EXPECT_THAT(WithoutComments("\"a\"/**/").status().message(), HasSubstr("at byte 3: a comment"));
}

TEST(SchemaTextTest, BracketsInStringsDoNotNest) {
  EXPECT_TRUE(CheckJsonDepth(R"([["[[[\"[["]])", 2).ok());
  EXPECT_THAT(CheckJsonDepth("[[{", 2).message(),
              HasSubstr("at byte 2: brackets nest more than 2"));
}

}  // namespace
}  // namespace shopstream::avro
