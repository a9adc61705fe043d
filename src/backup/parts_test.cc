#include "backup/parts.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/read_file.h"
#include "base/sha256.h"
#include "simulate/memory_store.h"

namespace shopstream::backup {
namespace {

namespace fs = std::filesystem;

class PartsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "parts.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    manifest_.id = "a backup";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void AddPart(const std::string& name, const std::string& text) {
    StoredFile& file = manifest_.parts[name];
    file.path = "parts/" + name;
    file.sha256 = FormatHex(Sha256(text));
    ASSERT_TRUE(place_.Put(file.path, *arrow::Buffer::FromString(text)).ok());
  }

  simulate::MemoryStore place_;
  Manifest manifest_;
  fs::path folder_;
};

TEST_F(PartsTest, FilesAreRestoredWithTheirFolders) {
  AddPart("rules.yaml", "rules: []");
  AddPart("sql/gold/daily.sql", "SELECT 1");
  AddPart(kTopicsPart, "[]");
  manifest_.parts_missing["rates.csv"] = "no such file";
  ASSERT_EQ(2, RestoreFiles(&place_, manifest_, folder_.string()).ValueOrDie().size());
  EXPECT_EQ("SELECT 1", ReadFile((folder_ / "sql/gold/daily.sql").string()).ValueOrDie());
  EXPECT_FALSE(fs::exists(folder_ / kTopicsPart));
}

TEST_F(PartsTest, ADamagedFileLeavesTheFolderEmpty) {
  AddPart("rules.yaml", "rules: []");
  AddPart("sql/silver.sql", "SELECT 1");
  manifest_.parts["sql/silver.sql"].sha256 = FormatHex(Sha256("SELECT 2"));
  const auto restored = RestoreFiles(&place_, manifest_, folder_.string());
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(restored.status()));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(PartsTest, ANameThatLeadsOutOfTheFolderIsRefused) {
  AddPart("rules.yaml", "rules: []");
  AddPart("sql/../../outside", "text");
  const auto restored = RestoreFiles(&place_, manifest_, folder_.string());
  EXPECT_EQ(ErrorKind::kCorrupt, KindOf(restored.status()));
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace shopstream::backup
