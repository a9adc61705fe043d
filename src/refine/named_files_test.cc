#include "refine/named_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "simulate/memory_pages.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NamedFilesTest : public ::testing::Test {
 protected:
  void Open(const std::string& name) { ASSERT_TRUE(files_.Open(name).ok()); }
  std::vector<std::string> Named(const std::string& prefix) {
    return files_.BeginningWith(prefix).ValueOrDie();
  }

  simulate::MemoryPages pages_;
  NamedFiles files_{&pages_};
};

TEST_F(NamedFilesTest, WhatIsOpenedIsKnownUntilItIsRemoved) {
  for (const char* name : {"ids.1.0.log", "ids.1.0.run", "ids.12.0.run", "key"}) Open(name);
  EXPECT_THAT(Named("ids.1."), ElementsAre("ids.1.0.log", "ids.1.0.run"));
  ASSERT_TRUE(files_.Remove("ids.1.0.log").ok());
  EXPECT_THAT(Named("ids.1."), ElementsAre("ids.1.0.run"));
  EXPECT_EQ(0, pages_.listings());
}

TEST_F(NamedFilesTest, AListingFindsWhatWasThereBefore) {
  ASSERT_TRUE(pages_.Open("ids.1.0.log").ok());
  EXPECT_THAT(Named("ids.1."), IsEmpty());
  ASSERT_TRUE(files_.List().ok());
  EXPECT_THAT(Named("ids.1."), ElementsAre("ids.1.0.log"));
}

TEST_F(NamedFilesTest, AFileThatSomebodyDeletedIsNotNamed) {
  Open("ids.1.0.log");
  ASSERT_TRUE(pages_.Remove("ids.1.0.log").ok());
  EXPECT_THAT(Named("ids.1."), IsEmpty());
}

}  // namespace
}  // namespace shopstream::refine
