#include "lake/delta/existing_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OpenExistingTest : public testing::LakeTest {
 protected:
  std::string Refusal(const std::string& name) {
    const auto opened = OpenExisting(store_.get(), name);
    EXPECT_TRUE(opened.status().IsKeyError()) << opened.status();
    return opened.status().message();
  }
};

TEST_F(OpenExistingTest, ATableThatExistsIsOpened) {
  EXPECT_TRUE(OpenExisting(store_.get(), testing::kPath).ok());
}

TEST_F(OpenExistingTest, ASlipIsAnsweredWithTheNearestName) {
  EXPECT_THAT(Refusal("bronze-event"), HasSubstr("did you mean 'bronze-events'?"));
}

TEST_F(OpenExistingTest, AnotherNameIsAnsweredWithAllNames) {
  EXPECT_THAT(Refusal("silver"), HasSubstr("its tables are bronze-events"));
}

TEST(OpenExisting, ALakeWithoutTablesIsNamedAsSuch) {
  simulate::MemoryStore empty;
  EXPECT_THAT(OpenExisting(&empty, "bronze-events").status().message(),
              AllOf(HasSubstr("nor any other"), HasSubstr("lake.uri")));
}

}  // namespace
}  // namespace shopstream::lake
