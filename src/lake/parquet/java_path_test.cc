#include "lake/parquet/java_path.h"

#include <gtest/gtest.h>

#include "lake/parquet/partition_path.h"

namespace shopstream::lake {
namespace {

// What Java 17 with Hadoop 3.4.1 printed for each character from 1 to 127.
TEST(JavaSpellingTest, OfAsciiIsThatOfHadoop) {
  constexpr std::string_view kAsIs =
      "!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
  for (int code = 1; code < 128; ++code) {
    const std::string text = {'x', static_cast<char>(code)};
    EXPECT_EQ(kAsIs.find(text[1]) != std::string_view::npos, JavaSpelling(text) == text) << code;
  }
  EXPECT_EQ("a%20b%25%22%3C%7F", JavaSpelling("a b%\"<\x7f"));
}

TEST(JavaSpellingTest, LettersOfAnyScriptStandForThemselves) {
  for (const char* text : {"été", "日本", "😀", "\uFFFD", "\u00A1", "\u200B"}) {
    EXPECT_EQ(text, JavaSpelling(text));
  }
}

TEST(JavaSpellingTest, SpacesAndControlCharactersOfAnyScriptAreEscaped) {
  EXPECT_EQ("%C2%80%C2%A0", JavaSpelling("\u0080\u00A0"));
  EXPECT_EQ("%E2%80%A8%E3%80%80", JavaSpelling("\u2028\u3000"));
}

TEST(JavaSpellingTest, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ("a\uFFFDb", JavaSpelling("a\xFF"
                                     "b"));
  EXPECT_EQ("\uFFFD\uFFFD", JavaSpelling("\xC0\xAF"));            // Overlong.
  EXPECT_EQ("\uFFFD\uFFFD\uFFFD", JavaSpelling("\xED\xA0\x80"));  // A surrogate.
  EXPECT_EQ("\uFFFD", JavaSpelling("\xE2"));
}

TEST(SparkRecognisesTest, EveryPathThatThisWriterMakes) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const PartitionValues& partition :
       {PartitionValues{}, PartitionValues{{all, all}}, PartitionValues{{"r", std::nullopt}}}) {
    EXPECT_TRUE(SparkRecognises(EncodeLogPath(NewDataFilePath(partition))));
  }
}

TEST(SparkRecognisesTest, NotWhatOtherCharactersBecome) {
  EXPECT_FALSE(SparkRecognises("r=R%26D/x.parquet"));
  EXPECT_FALSE(SparkRecognises("r=%C3%A9/x.parquet"));
  EXPECT_FALSE(SparkRecognises("r=a%2520b%3A/x.parquet"));
  EXPECT_FALSE(SparkRecognises("r=%ff/x.parquet"));
  EXPECT_TRUE(SparkRecognises("r=R&D/x.parquet"));
  EXPECT_TRUE(SparkRecognises("r=é/x.parquet"));
  EXPECT_TRUE(SparkRecognises("r=a%20b/x.parquet"));
  EXPECT_TRUE(SparkRecognises("region=US/date=2025-10-24/part-0.parquet"));
}

}  // namespace
}  // namespace shopstream::lake
