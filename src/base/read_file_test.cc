#include "base/read_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace shopstream {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;

TEST(ReadFile, ReadsEveryByteOrSaysWhyNot) {
  const fs::path folder = fs::temp_directory_path() / ("read-file-" + std::to_string(getpid()));
  fs::create_directories(folder);
  const std::string bytes("a\0\r\n\xff", 5);
  std::ofstream(folder / "bytes", std::ios::binary) << bytes;
  std::ofstream(folder / "empty", std::ios::binary).flush();
  EXPECT_EQ(bytes, *ReadFile(folder / "bytes"));
  EXPECT_EQ("", *ReadFile(folder / "empty"));
  EXPECT_EQ("cannot read " + (folder / "none").string() + ": No such file or directory",
            ReadFile(folder / "none").status().message());
  EXPECT_THAT(ReadFile(folder).status().message(), EndsWith(": Is a directory"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace shopstream
