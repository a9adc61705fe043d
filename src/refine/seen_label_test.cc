#include "refine/seen_label.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "simulate/memory_pages.h"

namespace shopstream::refine {
namespace {

TEST(SeenLabel, IsReadAsItWasWrittenWhateverTheNamesContain) {
  simulate::MemoryPages pages;
  EXPECT_FALSE(*ReadLabel(&pages));
  for (const std::string name : {"a1b2-c3", "two words", " ", "", "100%20", "a/b"}) {
    for (const bool is_clean : {false, true}) {
      const SeenLabel label{
          .table_id = name, .key = {1, UINT64_MAX}, .boot_id = name, .is_clean = is_clean};
      ASSERT_TRUE(WriteLabel(&pages, label).ok());
      EXPECT_EQ(label, *ReadLabel(&pages)) << "'" << name << "'";
    }
    const SeenStamp stamp{.pass = 7, .version = 12, .commit_id = name};
    ASSERT_TRUE(WriteStamp(&pages, "ids", stamp).ok());
    EXPECT_EQ(stamp, *ReadStamp(&pages, "ids")) << "'" << name << "'";
  }
}

TEST(SeenLabel, ADamagedFileIsNoLabel) {
  simulate::MemoryPages pages;
  std::string line = "shopstream-seen-1 table x 2 boot clean";
  line.resize(512, '\n');
  ASSERT_TRUE((*pages.Open(kLabelFile))->Write(0, std::as_bytes(std::span(line))).ok());
  EXPECT_FALSE(*ReadLabel(&pages));
  ASSERT_TRUE((*pages.Open(StampFile("ids")))->Write(0, std::as_bytes(std::span(line))).ok());
  EXPECT_FALSE(*ReadStamp(&pages, "ids"));
}

TEST(SeenLabel, TheFileOfAStampHasItsName) {
  EXPECT_EQ("ids", ParseStampFile(StampFile("ids")));
  EXPECT_EQ(std::nullopt, ParseStampFile("ids.20385.1.run"));
}

}  // namespace
}  // namespace shopstream::refine
