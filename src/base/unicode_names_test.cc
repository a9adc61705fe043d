#include "base/unicode_names.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(UnicodeNamesTest, LettersOfAnyScriptAreTakenAsInJava) {
  for (const char* name : {"a", "_", "A1_", "größe", "Запись", "価格", "_٣", "ª"}) {
    EXPECT_TRUE(IsSimpleName(name)) << name;
  }
  // A digit first, a superscript, a combining mark, a letter beyond the plane, and no UTF-8.
  for (const char* name : {"", "1a", "a-b", "a b", "a²", "e\u0301", "\U00010400", "a\xff", "\xc3",
                           "\xed\xa0\x80", "\xc1\x81"}) {
    EXPECT_FALSE(IsSimpleName(name)) << name;
  }
}

TEST(UnicodeNamesTest, CaseIsFoldedOneCharacterAtATime) {
  EXPECT_EQ("größe", FoldCase("GRÖßE"));
  EXPECT_EQ("запись", FoldCase("ЗАПИСЬ"));
  EXPECT_EQ("ǆ", FoldCase("Ǆ"));
  EXPECT_EQ("ā", FoldCase("Ā"));
  EXPECT_EQ("İ", FoldCase("İ"));  // Its lower-case form is two characters.
  EXPECT_EQ("\xff\xf0\x90\x90\x80z", FoldCase("\xff\xf0\x90\x90\x80Z"));
}

}  // namespace
}  // namespace shopstream
