#include "backup/manifest.h"

#include <gmock/gmock.h>

#include "base/json.h"

namespace shopstream::backup {
namespace {

using ::testing::HasSubstr;

const std::string kHash(64, 'a');

TEST(ManifestTest, SurvivesItsJson) {
  Manifest manifest;
  manifest.id = "20261130T134012.345Z";
  manifest.started_ms = 1;
  manifest.tables.push_back({.path = "bronze-events",
                             .id = "x",
                             .version = 7,
                             .files = 2,
                             .bytes = 30,
                             .list = {"l", 1, kHash},
                             .logs = {{"c", 2, kHash}}});
  manifest.parts["settings.yaml"] = {"p", 3, kHash};
  manifest.parts_missing["acls.json"] = "refused";
  const std::string text = DumpJson(ToJson(manifest));
  const Manifest read = ParseManifest(text, "m").ValueOrDie();
  EXPECT_EQ(text, DumpJson(ToJson(read)));
  EXPECT_EQ(30, read.bytes());
}

TEST(ManifestTest, DamageIsAnErrorThatNamesIt) {
  for (const char* text : {"", "{", "[]", "{}", R"({"format": 1, "id": 3})"}) {
    EXPECT_THAT(ParseManifest(text, "the-name").status().message(), HasSubstr("the-name")) << text;
  }
  EXPECT_THAT(ParseManifest(R"({"format": 9})", "m").status().message(), HasSubstr("newer"));
}

TEST(ManifestTest, AListSurvivesItsText) {
  const std::vector<StoredFile> files = {{"region=EU/date=2025-10-24/a b.parquet", 5, kHash},
                                         {"x", 0, kHash}};
  const std::string text = FormatFileList(files).ValueOrDie();
  EXPECT_EQ(files, ParseFileList(text, "l").ValueOrDie());
  for (const std::string damaged : {"x", "\n"}) {
    EXPECT_FALSE(ParseFileList(text + damaged, "l").ok()) << damaged;
  }
  EXPECT_FALSE(FormatFileList({{"a\nb", 1, kHash}}).ok());
}

TEST(ManifestTest, ARestoredFileIsStoredUnderItsFirstName) {
  const std::string path = "region=EU/part-1.parquet";
  const std::string restored = RestoredName("0123abcd", path);
  EXPECT_EQ("region=EU/restored-0123abcd-part-1.parquet", restored);
  EXPECT_EQ("region=EU/restored-00000000-part-1.parquet", RestoredName("00000000", restored));
  EXPECT_EQ("data/t/region=EU/part-1.parquet", StoredDataPath("t", restored));
  EXPECT_EQ("data/t/restored-part-1.parquet", StoredDataPath("t", "restored-part-1.parquet"));
  EXPECT_EQ("data/t/restored-zzzzzzzz-a", StoredDataPath("t", "restored-zzzzzzzz-a"));
}

}  // namespace
}  // namespace shopstream::backup
