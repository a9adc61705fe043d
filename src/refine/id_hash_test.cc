#include "refine/id_hash.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/format.h"

namespace shopstream::refine {
namespace {

constexpr HashKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

// In the order of the reference's output.
std::string Hex(const Hash128& hash) {
  std::string bytes(16, '\0');
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(hash.low >> (8 * i));
    bytes[8 + i] = static_cast<char>(hash.high >> (8 * i));
  }
  return FormatHex(bytes);
}

std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::vector<Hash128> Hashes(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  return HashRows(kKey, columns).ValueOrDie();
}

// Some of the reference implementation's vectors (vectors.h, vectors_sip128): the key and the
// message count up from 0.
TEST(IdHashTest, ItIsSipHash) {
  EXPECT_EQ("a3817f04ba25a8e66df67214c7550293", Hex(HashOf(kKey, "")));
  EXPECT_EQ("da87c1d86b99af44347659119b22fc45", Hex(HashOf(kKey, std::string("\0", 1))));
  EXPECT_EQ("8177228da4a45dc7fca38bdef60affe4", Hex(HashOf(kKey, std::string("\0\1", 2))));
  EXPECT_EQ("5493e99933b0a8117e08ec0f97cfc3d9",
            Hex(HashOf(kKey, std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16", 15))));
}

TEST(IdHashTest, TheKeyDecides) { EXPECT_NE(HashOf({1, 2}, "a"), HashOf({1, 3}, "a")); }

TEST(IdHashTest, EqualRowsHaveEqualHashesAndOthersHaveNot) {
  const auto hashes =
      Hashes({Column(arrow::utf8(), R"(["a", "ab", "a", null, "", "a", "a"])"),
              Column(arrow::utf8(), R"(["bc", "c", "bc", "bc", "abc", null, "bd"])")});
  EXPECT_EQ(hashes[0], hashes[2]);
  EXPECT_EQ(6, (std::set<Hash128>(hashes.begin(), hashes.end()).size()));
}

TEST(IdHashTest, ManyRowsAreHashedOneByOne) {
  std::string json;
  for (int i = 0; i < 3000; ++i) json += (i == 0 ? "" : ",") + std::to_string(i % 2900);
  const auto numbers = Column(arrow::int64(), "[" + json + "]");
  const auto hashes = Hashes({numbers});
  ASSERT_EQ(3000, hashes.size());
  EXPECT_EQ(2900, (std::set<Hash128>(hashes.begin(), hashes.end()).size()));
  for (const int64_t row : {0, 1023, 1024, 2899, 2999}) {
    EXPECT_EQ(Hashes({numbers->Slice(row, 1)})[0], hashes[row]);
  }
}

TEST(IdHashTest, EveryTypeOfAKeyIsHashed) {
  for (const auto& [type, json] :
       std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>>{
           {arrow::boolean(), "[true, false, null]"},
           {arrow::int32(), "[1, -1, null]"},
           {arrow::int64(), "[1, -1, null]"},
           {arrow::float64(), "[1.5, -1.5, null]"},
           {arrow::date32(), "[1, 2, null]"},
           {arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1, 2, null]"},
           {arrow::decimal128(18, 2), R"(["1.00", "1.01", null])"},
           {arrow::binary(), R"(["a", "b", null])"},
           {arrow::utf8(), R"(["a", "b", null])"}}) {
    const auto hashes = Hashes({Column(type, json)});
    EXPECT_EQ(3, (std::set<Hash128>(hashes.begin(), hashes.end()).size())) << type->ToString();
    EXPECT_EQ(hashes, Hashes({Column(type, json)}));
  }
  EXPECT_EQ(Hashes({Column(arrow::float64(), "[0.0]")}),
            Hashes({Column(arrow::float64(), "[-0.0]")}));
  EXPECT_TRUE(
      HashRows(kKey, {Column(arrow::list(arrow::int32()), "[[1]]")}).status().IsNotImplemented());
}

}  // namespace
}  // namespace shopstream::refine
