#include "base/default_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace shopstream {
namespace {

namespace fs = std::filesystem;

// The test's current folder, with the files it creates.
class DefaultConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("default-config-" + std::to_string(getpid()));
    fs::create_directories(root_ / "here");
    fs::current_path(root_ / "here");
  }
  void TearDown() override {
    fs::current_path("/");
    fs::remove_all(root_);
  }

  void Touch(const std::string& path) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << "kafka:\n";
  }

  fs::path root_;
};

TEST_F(DefaultConfigTest, TheCurrentFolderComesFirst) {
  Touch("here/config/pipeline.yaml");
  Touch("checkout/config/pipeline.yaml");
  const auto found = FindDefaultConfig(root_ / "checkout/build/release/shopstream");
  EXPECT_EQ(found.file, "config/pipeline.yaml");
  EXPECT_EQ(found.checkout, "");
}

TEST_F(DefaultConfigTest, AProgramInACheckoutFindsItsConfiguration) {
  Touch("checkout/config/pipeline.yaml");
  const auto found = FindDefaultConfig(root_ / "checkout/build/release/shopstream");
  EXPECT_EQ(found.file, root_ / "checkout/config/pipeline.yaml");
  EXPECT_EQ(found.checkout, root_ / "checkout");
}

TEST_F(DefaultConfigTest, AnInstalledProgramFindsTheInstalledOne) {
  Touch("usr/share/shopstream/config/pipeline.yaml");
  Touch("config/pipeline.yaml");  // Beside usr, which is not a build folder.
  const auto found = FindDefaultConfig(root_ / "usr/bin/shopstream");
  EXPECT_EQ(found.file, root_ / "usr/share/shopstream/config/pipeline.yaml");
  EXPECT_EQ(found.checkout, "");
}

TEST_F(DefaultConfigTest, TheFilesOfRefineComeWithTheProgram) {
  Touch("usr/share/shopstream/config/pipeline.yaml");
  Touch("usr/share/shopstream/config/refine/rules.yaml");
  Touch("usr/share/shopstream/config/refine/rates.csv");
  Touch("here/config/pipeline.yaml");
  Touch("here/config/refine/rates.csv");
  const auto found = FindDefaultConfig(root_ / "usr/bin/shopstream");
  EXPECT_EQ(found.file, "config/pipeline.yaml");
  Config config;
  config.refine.categories = "mine.yaml";
  UseShippedFiles(found.shipped, &config);
  EXPECT_EQ(config.refine.rules, root_ / "usr/share/shopstream/config/refine/rules.yaml");
  EXPECT_EQ(config.refine.rates, "config/refine/rates.csv");
  EXPECT_EQ(config.refine.categories, "mine.yaml");
}

TEST_F(DefaultConfigTest, WithoutAnyTheUsualNameIsKept) {
  EXPECT_EQ(FindDefaultConfig(root_ / "usr/bin/shopstream").file, "config/pipeline.yaml");
  EXPECT_EQ(FindDefaultConfig("").file, "config/pipeline.yaml");
}

TEST(CountPathsFromCheckoutTest, PathsOfTheFileCountFromTheCheckout) {
  Config config;
  config.registry.users = "users.txt";
  config.registry.ca_file = "/etc/ca.pem";
  CountPathsFromCheckout("/checkout", {}, &config);
  EXPECT_EQ(config.lake.uri, "/checkout/.shopstream/lake");
  EXPECT_EQ(config.registry.users, "/checkout/users.txt");
  EXPECT_EQ(config.registry.ca_file, "/etc/ca.pem");
  EXPECT_EQ(config.registry.tls_key, "");
}

TEST(CountPathsFromCheckoutTest, PathsThatTheUserGivesCountFromTheCurrentFolder) {
  Config config;
  config.registry.users = "users.txt";
  config.registry.tls_key = "key.pem";
  ConfigSources sources;
  sources.overrides = {"registry.users=users.txt"};
  sources.environment = {{"SHOPSTREAM_LAKE_URI", ".shopstream/lake"}};
  CountPathsFromCheckout("/checkout", sources, &config);
  EXPECT_EQ(config.lake.uri, ".shopstream/lake");
  EXPECT_EQ(config.registry.users, "users.txt");
  EXPECT_EQ(config.registry.tls_key, "/checkout/key.pem");
}

TEST(CountPathsFromCheckoutTest, AddressesAndAnInstalledConfigurationStayAsTheyAre) {
  Config config;
  config.lake.uri = "s3://bucket/lake";
  CountPathsFromCheckout("/checkout", {}, &config);
  EXPECT_EQ(config.lake.uri, "s3://bucket/lake");
  config.lake.uri = "lake";
  CountPathsFromCheckout("", {}, &config);
  EXPECT_EQ(config.lake.uri, "lake");
}

TEST(ProgramPathTest, IsThisTest) { EXPECT_EQ(ProgramPath().filename(), "base_test"); }

}  // namespace
}  // namespace shopstream
