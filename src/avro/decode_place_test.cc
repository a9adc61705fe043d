#include "avro/decode_place.h"

#include <gtest/gtest.h>

#include <string>

namespace shopstream::avro {
namespace {

std::string Marked(std::string text) {
  for (char& c : text) c = c == '*' ? kItemMark : c;
  return text;
}

TEST(DecodePlaceTest, ItemsAreNamedFromTheOutermostOn) {
  EXPECT_EQ("lines[3].tags[\"color\"]",
            FillItems(Marked("lines*.tags*"), Marked("*[\"color\"]*[3]")));
  EXPECT_EQ("id", FillItems("id", ""));
  // The failure was at the list itself, before any item.
  EXPECT_EQ("lines[3].tags", FillItems(Marked("lines*.tags*"), Marked("*[3]")));
}

TEST(DecodePlaceTest, KeysAreShortAndPrintable) {
  EXPECT_EQ("[12]", NameOfItem(12));
  EXPECT_EQ("[\"a?b??\"]", NameOfItem("a\"b\xc3\xa9"));
  EXPECT_EQ(44u, NameOfItem(std::string(100, 'x')).size());
}

}  // namespace
}  // namespace shopstream::avro
