#include "refine/files_in_force.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;
using Texts = FilesInForce<std::string>;

// A source whose text is put there by a test.
struct MadeSource {
  Result<std::string> text = std::string("first");
  int stamp = 0;
  int reads = 0;
  std::function<void()> on_read = [] {}, on_stamp = [] {};

  FileSource<std::string> Source() {
    return {.stamp =
                [this] {
                  on_stamp();
                  return std::to_string(stamp);
                },
            .read = [this]() -> Result<std::string> {
              ++reads;
              const auto read = text;
              on_read();
              return read;
            }};
  }
  void Change(Result<std::string> other) {
    text = std::move(other);
    ++stamp;
  }
};

Status AcceptAll(const std::string& /*text*/) { return Status::OK(); }
Status Refuse(const std::string& text) { return Status::Invalid("no such column: ", text); }

TEST(FilesInForce, AChangedSourceIsReadAgainAndOnlyThen) {
  MadeSource source;
  auto texts = *Texts::Open(source.Source(), AcceptAll);
  EXPECT_EQ("first", texts.value());
  texts.Reload(AcceptAll);
  EXPECT_EQ(1, source.reads);
  source.Change("second");
  texts.Reload(AcceptAll);
  EXPECT_EQ(2, source.reads);
  EXPECT_EQ("second", texts.value());
  EXPECT_TRUE(texts.broken().ok());
}

TEST(FilesInForce, ABrokenSourceKeepsWhatWasReadBefore) {
  MadeSource source;
  auto texts = *Texts::Open(source.Source(), AcceptAll);
  source.Change(Status::Invalid("rules.yaml, line 3: no"));
  texts.Reload(AcceptAll);
  EXPECT_EQ("first", texts.value());
  EXPECT_EQ("rules.yaml, line 3: no", texts.broken().message());
  texts.Reload(AcceptAll);
  EXPECT_EQ(3, source.reads) << "it may have become usable without a change of its stamp";
  EXPECT_FALSE(texts.broken().ok());
  source.Change("second");
  texts.Reload(Refuse);
  EXPECT_EQ("first", texts.value());
  EXPECT_EQ("no such column: second", texts.broken().message());
  texts.Reload(AcceptAll);
  EXPECT_EQ("second", texts.value());
  EXPECT_TRUE(texts.broken().ok());
}

TEST(FilesInForce, TheFirstMustBeRight) {
  MadeSource source;
  EXPECT_EQ("no such column: first", Texts::Open(source.Source(), Refuse).status().message());
  source.Change(Status::Invalid("rules.yaml, line 3: no"));
  EXPECT_EQ("rules.yaml, line 3: no", Texts::Open(source.Source(), AcceptAll).status().message());
}

TEST(FilesInForce, WhatIsWrittenWhileItIsReadIsReadAgain) {
  MadeSource source;
  auto texts = *Texts::Open(source.Source(), AcceptAll);
  source.Change("half");
  source.on_read = [&] { source.Change("whole"); };
  texts.Reload(AcceptAll);
  EXPECT_EQ("first", texts.value());
  EXPECT_TRUE(texts.broken().ok()) << "half a file is no mistake of its author";
  source.on_read = [] {};
  texts.Reload(AcceptAll);
  EXPECT_EQ("whole", texts.value());

  source.Change("half");
  source.on_read = [&] { source.Change("whole"); };
  EXPECT_THAT(Texts::Open(source.Source(), AcceptAll).status().message(),
              HasSubstr("change while they are read"));
  source.on_read = [&, writes = 0]() mutable {
    if (writes++ == 0) source.Change("last");
  };
  EXPECT_EQ("last", Texts::Open(source.Source(), AcceptAll)->value());
}

TEST(FilesInForce, WhatIsBeingWrittenIsNotRead) {
  MadeSource source;
  auto texts = *Texts::Open(source.Source(), AcceptAll);
  source.on_stamp = [&] { source.Change("half"); };
  texts.Reload(AcceptAll);
  EXPECT_EQ(1, source.reads);
  EXPECT_EQ("first", texts.value());
  source.on_stamp = [] {};
  source.Change("whole");
  texts.Reload(AcceptAll);
  EXPECT_EQ("whole", texts.value());
}

TEST(StampOfFile, ChangesWithTheFile) {
  const std::string path = ::testing::TempDir() + "/stamp_of_file_test_" + std::to_string(getpid());
  EXPECT_EQ(path + " is absent;", StampOfFile(path));
  std::ofstream(path) << "a";
  const std::string first = StampOfFile(path);
  EXPECT_EQ(first, StampOfFile(path));
  std::ofstream(path) << "ab";
  EXPECT_NE(first, StampOfFile(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace shopstream::refine
