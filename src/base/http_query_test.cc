#include "base/http_query.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(HttpQuery, EscapesAreDecodedAndOthersStay) {
  EXPECT_EQ("a/b c", PercentDecode("a%2Fb%20c"));
  EXPECT_EQ("%", PercentDecode("%"));
  EXPECT_EQ("%2", PercentDecode("%2"));
  EXPECT_EQ("%zz+", PercentDecode("%zz+"));
}

TEST(HttpQuery, AllButUnreservedAndColonsIsEncoded) {
  EXPECT_EQ(":.lab:a%2Fb%20c%26%3D%25%C3%BC-_~", PercentEncode(":.lab:a/b c&=%ü-_~"));
  EXPECT_EQ("a+b&\"", PercentDecode(PercentEncode("a+b&\"")));
}

TEST(HttpQuery, ValuesAreFoundByName) {
  EXPECT_EQ("true", QueryValue("deleted=true&x=1", "deleted"));
  EXPECT_EQ("a b&", QueryValue("x=1&name=a+b%26", "name"));
  EXPECT_EQ((std::vector<std::string>{"1", "", "b c"}), QueryValues("k=1&x=2&k&k=b+c", "k"));
  EXPECT_EQ("", QueryValue("name", "name"));
  EXPECT_EQ("", QueryValue("&&=&a", "b"));
}

}  // namespace
}  // namespace shopstream
