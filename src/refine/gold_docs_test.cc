// The Gold files in docs/sql.md: those without a message are accepted, the others are refused with
// just this message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "refine/gold_merge.h"
#include "refine/gold_testing.h"

namespace shopstream::refine {
namespace {

struct Block {
  std::string language, text;
};

std::vector<Block> BlocksOf(const std::string& document) {
  std::ifstream in(document);
  EXPECT_TRUE(in) << document;
  std::vector<Block> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

TEST(GoldDocsTest, ExamplesAreAcceptedOrRefusedAsStated) {
  const auto blocks = BlocksOf(std::string(SHOPSTREAM_SOURCE_DIR) + "/docs/sql.md");
  int accepted = 0, refused = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].language != "sql" || blocks[i].text.find("-- key:") == std::string::npos)
      continue;
    SCOPED_TRACE(blocks[i].text);
    const bool wrong = i + 1 < blocks.size() && blocks[i + 1].language == "text";
    const auto file = ParseGold("sales", {blocks[i].text, "gold/sales.sql", 1});
    const Status status =
        file.ok() ? GoldMerge::Open(*file, testing::GoldColumns(), {}).status() : file.status();
    EXPECT_EQ(status.message() + "\n", wrong ? blocks[i + 1].text : "\n");
    ++(wrong ? refused : accepted);
  }
  EXPECT_GE(accepted, 1);
  EXPECT_GE(refused, 4);
}

}  // namespace
}  // namespace shopstream::refine
