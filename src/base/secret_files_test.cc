#include "base/secret_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

namespace shopstream {
namespace {

using testing::HasSubstr;
using testing::Not;

class SecretFilesTest : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }

  const std::string path_ = testing::TempDir() + "secret_files_test_file";
};

TEST(SecretFiles, EverySecretHasAnotherSource) {
  for (const std::string key :
       {"registry.password", "s3.access_key", "s3.secret_key", "s3.session_token",
        "kafka.security.sasl.password", "kafka.security.ssl.key.password"}) {
    EXPECT_EQ(key + "_file", OtherSourceOfSecret(key));
    EXPECT_EQ(key, OtherSourceOfSecret(key + "_file"));
  }
  for (const char* key : {"kafka.topic", "registry.ca_file", "console.token_file",
                          "kafka.security.sasl.username", "kafka.security.ssl.ca.location"}) {
    EXPECT_EQ("", OtherSourceOfSecret(key)) << key;
  }
}

TEST_F(SecretFilesTest, AreReadWithoutTheLineEnd) {
  const std::string path = Write(" pass word \r\n\n");
  ConfigSources sources;
  sources.environment = {{"SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD_FILE", path},
                         {"SHOPSTREAM_S3_SECRET_KEY_FILE", path}};
  sources.overrides = {"registry.password_file=" + path};
  const auto config = LoadConfig(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(" pass word ", config->registry.password);
  EXPECT_EQ(" pass word ", config->s3.secret_key);
  EXPECT_EQ(config->kafka.security,
            (std::map<std::string, std::string>{{"sasl.password", " pass word "}}));
}

TEST_F(SecretFilesTest, AnErrorNamesSettingAndFileOnly) {
  ConfigSources sources;
  const auto refusal = [&](const std::string& setting, const std::string& path) {
    sources.overrides = {setting + "=" + path};
    return LoadConfig(sources).status().message();
  };
  const std::string binary = Write(std::string("secret\0text", 11));
  EXPECT_THAT(refusal("kafka.security.sasl.password_file", binary),
              testing::AllOf(HasSubstr("kafka.security.sasl.password_file: " + binary + " is no "),
                             Not(HasSubstr("text\n"))));
  EXPECT_THAT(refusal("registry.password_file", Write("\n")), HasSubstr(path_ + " is empty"));
  EXPECT_THAT(refusal("s3.session_token_file", "/absent"),
              HasSubstr("s3.session_token_file: cannot read /absent: No such file"));
}

TEST_F(SecretFilesTest, TheLastSourceCounts) {
  ConfigSources sources;
  sources.environment = {{"SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD_FILE", Write("in the file")},
                         {"SHOPSTREAM_REGISTRY_PASSWORD", "in the environment"}};
  sources.overrides = {"kafka.security.sasl.password=x", "registry.password_file=" + path_};
  const auto config = LoadConfig(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ("x", config->kafka.security.at("sasl.password"));
  EXPECT_EQ("in the file", config->registry.password);
  sources.overrides.emplace_back("registry.password=z");
  EXPECT_THAT(LoadConfig(sources).status().message(),
              HasSubstr("both registry.password_file and registry.password are set"));
}

TEST(SecretFiles, WhoHoldsSecretsHidesItsMemory) {
  EXPECT_FALSE(HoldsSecrets({}));
  Config config;
  config.kafka.security["sasl.password"] = "x";
  EXPECT_TRUE(HoldsSecrets(config));
  config = {};
  config.registry.tls_key = "key.pem";
  EXPECT_TRUE(HoldsSecrets(config));
  for (const char* key : {"ssl.key.location", "ssl.keystore.location"}) {
    config = {};
    config.kafka.security[key] = "key.pem";
    EXPECT_TRUE(HoldsSecrets(config)) << key;
  }
  config = {};
  config.lake.uri = "s3://lake";
  EXPECT_TRUE(HoldsSecrets(config));
}

}  // namespace
}  // namespace shopstream
