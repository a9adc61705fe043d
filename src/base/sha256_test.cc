#include "base/sha256.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(Sha256Test, IsThatOfTheStandard) {
  EXPECT_EQ(std::string("\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8), Sha256("abc").substr(0, 8));
  EXPECT_EQ(32u, Sha256("").size());
}

TEST(Sha256Test, InPiecesIsTheSame) {
  Sha256Stream stream;
  stream.Add("a");
  stream.Add("");
  stream.Add("bc");
  EXPECT_EQ(Sha256("abc"), stream.Finish());
}

}  // namespace
}  // namespace shopstream
