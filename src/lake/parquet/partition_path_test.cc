#include "lake/parquet/partition_path.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::lake {
namespace {

TEST(PartitionFolderTest, IsHiveStyle) {
  EXPECT_EQ("region=US/date=2025-10-24",
            PartitionFolder({{"region", "US"}, {"date", "2025-10-24"}}));
  EXPECT_EQ("", PartitionFolder({}));
}

TEST(PartitionFolderTest, NullAndEmptyAreOneFolder) {
  EXPECT_EQ("region=__HIVE_DEFAULT_PARTITION__", PartitionFolder({{"region", std::nullopt}}));
  EXPECT_EQ("region=__HIVE_DEFAULT_PARTITION__", PartitionFolder({{"region", ""}}));
}

TEST(PartitionFolderTest, EscapesAllButPlainCharacters) {
  EXPECT_EQ("r=a%2Fb%3Dc%25d%20e", PartitionFolder({{"r", "a/b=c%d e"}}));
  EXPECT_EQ("r=%0A%7F%7B%5B%5D%5E%22%23%27%2A%3A%3F%5C",
            PartitionFolder({{"r", "\n\x7f{[]^\"#'*:?\\"}}));
  EXPECT_EQ("r=R%26D%20%21%24%28%29%2B%2C%3B%40%7E", PartitionFolder({{"r", "R&D !$()+,;@~"}}));
  EXPECT_EQ("r=..", PartitionFolder({{"r", ".."}}));
  EXPECT_EQ("r=%E6%97%A5%E6%9C%AC", PartitionFolder({{"r", "日本"}}));
  EXPECT_EQ("%C3%A9%20%26_x=1", PartitionFolder({{"é &_x", "1"}}));
}

TEST(PartitionFolderTest, ALongNameIsCutAndEndsInTheHashOfItsValue) {
  const std::string longest(198, 'x');
  EXPECT_EQ("r=" + longest, PartitionFolder({{"r", longest}}));
  EXPECT_EQ("r=" + std::string(178, 'x') + "-4D89F03258AD7E5F/date=2025-10-24",
            PartitionFolder({{"r", longest + "x"}, {"date", "2025-10-24"}}));
  EXPECT_NE(PartitionFolder({{"r", std::string(1023, 'x') + "y"}}),
            PartitionFolder({{"r", std::string(1023, 'x') + "z"}}));
}

TEST(PartitionFolderTest, ALongNameIsNotCutInsideAnEscape) {
  for (size_t plain = 0; plain < 6; ++plain) {
    std::string value(plain, 'x');
    while (value.size() < 1024) value += '%';
    const std::string folder = PartitionFolder({{"r", value}});
    EXPECT_LE(folder.size(), 200u);
    const std::string kept = folder.substr(0, folder.size() - 17);
    EXPECT_EQ('-', folder[kept.size()]);
    std::string expected = "r=" + std::string(plain, 'x');
    while (expected.size() + 3 <= 180) expected += "%25";
    EXPECT_EQ(expected, kept);
  }
}

TEST(PartitionFolderTest, ItsPathInTheLogEscapesNothingButPercentSigns) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string path = NewDataFilePath({{all, all}});
  std::string expected;
  for (const char c : path) expected += c == '%' ? std::string("%25") : std::string{c};
  EXPECT_EQ(expected, EncodeLogPath(path));
  EXPECT_EQ(path, DecodeLogPath(expected));
}

TEST(LogPathTest, TheFolderIsEncodedOnceMoreAsAUri) {
  const std::string path = PartitionFolder({{"r", "a/b é"}}) + "/x.parquet";
  EXPECT_EQ("r=a%2Fb%20%C3%A9/x.parquet", path);
  EXPECT_EQ("r=a%252Fb%2520%25C3%25A9/x.parquet", EncodeLogPath(path));
  EXPECT_EQ(path, DecodeLogPath(EncodeLogPath(path)));
}

TEST(LogPathTest, EveryByteSurvives) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(all, DecodeLogPath(EncodeLogPath(all)));
}

TEST(LogPathTest, WhatIsNoEscapeStands) {
  EXPECT_EQ("100%/a%zz%4", DecodeLogPath("100%/a%zz%4"));
  EXPECT_EQ("a+b", DecodeLogPath("a+b"));
}

struct Case {
  std::shared_ptr<arrow::DataType> type;
  std::string text;
};

class PartitionValueTest : public ::testing::TestWithParam<Case> {};

TEST_P(PartitionValueTest, ThereAndBack) {
  const auto value = ParsePartitionValue(GetParam().text, GetParam().type);
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_TRUE((*value)->type->Equals(GetParam().type));
  EXPECT_EQ(GetParam().text, FormatPartitionValue(**value).ValueOrDie());
}

INSTANTIATE_TEST_SUITE_P(Types, PartitionValueTest,
                         ::testing::Values(Case{arrow::utf8(), "US"}, Case{arrow::int64(), "-5"},
                                           Case{arrow::int32(), "7"},
                                           Case{arrow::boolean(), "true"},
                                           Case{arrow::float64(), "1.5"},
                                           Case{arrow::date32(), "2025-10-24"},
                                           Case{arrow::decimal128(18, 2), "12.30"},
                                           Case{arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                                "2025-10-24T01:02:03.000004Z"}));

TEST(PartitionValue, SparksTimestampsAreUnderstood) {
  const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  EXPECT_EQ("2025-10-24T01:02:03.000000Z",
            FormatPartitionValue(**ParsePartitionValue("2025-10-24 01:02:03", type)).ValueOrDie());
}

TEST(PartitionValue, EmptyIsNull) {
  EXPECT_FALSE((*ParsePartitionValue("", arrow::int64()))->is_valid);
  EXPECT_FALSE((*ParsePartitionValue(std::nullopt, arrow::utf8()))->is_valid);
  EXPECT_EQ(std::nullopt, *FormatPartitionValue(arrow::StringScalar("")));
}

TEST(PartitionValue, NonsenseIsNamed) {
  EXPECT_THAT(ParsePartitionValue("soon", arrow::date32()).status().message(),
              ::testing::HasSubstr("'soon'"));
}

}  // namespace
}  // namespace shopstream::lake
