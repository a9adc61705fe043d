#include "sql/sql_words.h"

#include <gmock/gmock.h>

namespace shopstream::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SqlWords, AreInCapitalsWithoutSignsAndTexts) {
  EXPECT_THAT(SqlWords("select a.b, 'text ; it''s' from \"My \"\"T\"\n where x1 >= 2;"),
              ElementsAre("SELECT", "A", "B", "FROM", "\"My \"", "\"T\"", "WHERE", "X1", "2", ";"));
  EXPECT_THAT(SqlWords("(a)"), ElementsAre("(", "A", ")"));
  EXPECT_THAT(SqlWords("  \n"), IsEmpty());
}

TEST(SqlWords, CommentsAreLeftOut) {
  EXPECT_THAT(SqlWords("a -- b ; 'c\nd /* e /* f */ g */ h"), ElementsAre("A", "D", "H"));
  EXPECT_THAT(SqlWords("a/**/b"), ElementsAre("A", "B"));
  EXPECT_THAT(SqlWords("a /* not closed"), ElementsAre("A"));
}

TEST(SqlWords, QuotesThatAreNotClosedReachTheEnd) {
  EXPECT_THAT(SqlWords("a 'b ; c"), ElementsAre("A"));
  EXPECT_THAT(SqlWords("a $tag$ b ; $$ c $tag$ d"), ElementsAre("A", "D"));
  EXPECT_THAT(SqlWords("a $$ b ; $$ c $1 d"), ElementsAre("A", "C", "1", "D"));
  EXPECT_THAT(SqlWords("a $$ b"), ElementsAre("A"));
}

TEST(SqlWords, ABackslashEscapesInAnEscapedTextAlone) {
  EXPECT_THAT(SqlWords(R"(a E'it\'s ; b' c)"), ElementsAre("A", "C"));
  EXPECT_THAT(SqlWords(R"(a e'x\\' b)"), ElementsAre("A", "B"));
  EXPECT_THAT(SqlWords(R"(a 'x\' b)"), ElementsAre("A", "B"));
  EXPECT_THAT(SqlWords(R"(some'x\' b)"), ElementsAre("SOME", "B"));
  EXPECT_THAT(SqlWords(R"(E'not closed\')"), IsEmpty());
  EXPECT_EQ(1U, SplitStatements({R"(SELECT E'it\'s; ' AS x)", "", 1}).size());
}

TEST(EndsStatement, OnlyASemicolonOutsideOfTextsDoes) {
  for (const char* text : {"SELECT 1;", "SELECT 1; -- done", "SELECT ';' ;\n /* x */ ", ";"}) {
    EXPECT_TRUE(EndsStatement(text)) << text;
  }
  for (const char* text : {"", "  ", "SELECT 1", "SELECT ';", "SELECT 1 -- ;", "SELECT 1; x",
                           "SELECT 1; 'x", "SELECT 1 /* ;", "SELECT E'\\';"}) {
    EXPECT_FALSE(EndsStatement(text)) << text;
  }
}

TEST(WithQuoted, QuotesTheWordWhereItIsAName) {
  EXPECT_EQ("\"offset\" > 5 AND \"offset\"<9", WithQuoted("offset > 5 AND OFFSET<9", "OFFSET"));
  EXPECT_EQ("t.\"offset\"", WithQuoted("t.Offset", "OFFSET"));
  for (const char* text : {"", "kafka_offset > 5", "name = 'offset'", "\"offset\" = 1",
                           "a -- offset", "/* offset */ a", "$$offset$$", "offsets"}) {
    EXPECT_EQ(text, WithQuoted(text, "OFFSET"));
  }
}

TEST(WithoutExplain, IsTheStatementThatIsExplained) {
  EXPECT_EQ("SELECT 1", WithoutExplain("SELECT 1"));
  EXPECT_EQ(" SELECT 1", WithoutExplain("/* a */ explain SELECT 1"));
  EXPECT_EQ(" SELECT 1", WithoutExplain("EXPLAIN ANALYZE SELECT 1"));
  EXPECT_EQ(" SELECT 1", WithoutExplain("EXPLAIN (FORMAT json) SELECT 1"));
  EXPECT_EQ(" SELECT 1", WithoutExplain("EXPLAIN (ANALYZE, FORMAT json) SELECT 1"));
  EXPECT_EQ(" (SELECT 1)", WithoutExplain("EXPLAIN (SELECT 1)"));
  EXPECT_EQ("", WithoutExplain("EXPLAIN"));
}

TEST(SplitStatements, EachHasItsLine) {
  const auto statements =
      SplitStatements({"SELECT ';' -- ;\n;\n;\n SELECT 2;\n-- end", "x.sql", 10});
  ASSERT_EQ(2U, statements.size());
  EXPECT_EQ("SELECT ';' -- ;\n", statements[0].text);
  EXPECT_EQ(10, statements[0].first_line);
  EXPECT_EQ("\n SELECT 2", statements[1].text);
  EXPECT_EQ(12, statements[1].first_line);
  EXPECT_EQ("x.sql", statements[1].file);
  EXPECT_TRUE(SplitStatements({" ; /* ; */ ;", "", 1}).empty());
}

}  // namespace
}  // namespace shopstream::sql
