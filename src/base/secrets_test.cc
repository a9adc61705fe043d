#include "base/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream {
namespace {

using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

TEST(Secrets, NamesOfPropertiesAndVariables) {
  for (const char* name : {"sasl.password", "ssl.key.pem", "ssl.keystore.password", "s3.secret_key",
                           "sasl.oauthbearer.config", "sasl.jaas.config", "AWS_SESSION_TOKEN",
                           "SHOPSTREAM_KAFKA_SECURITY_SSL_KEY_PEM", "REGISTRY_PASSWORD"}) {
    EXPECT_TRUE(IsSecretName(name)) << name;
  }
  for (const char* name : {"kafka.topic", "sasl.username", "ssl.key.location", "s3.access_key"}) {
    EXPECT_FALSE(IsSecretName(name)) << name;
  }
}

TEST(Secrets, AUrlIsShownWithoutItsCredentials) {
  EXPECT_EQ("http://(hidden)@h:1/x", WithoutCredentials("http://user:pa@ss@h:1/x"));
  EXPECT_EQ("(hidden)@h", WithoutCredentials("user:pass@h"));
  EXPECT_EQ("http://h:1/x", WithoutCredentials("http://h:1/x"));
  EXPECT_EQ("", WithoutCredentials(""));
}

TEST(Secrets, AreFoundInWhateverTheUserGave) {
  ConfigSources sources;
  sources.environment = {{"SHOPSTREAM_REGISTRY_PASSWORD", "one"},
                         {"AWS_SECRET_ACCESS_KEY", "two"},
                         {"GREETING_TOKEN", "not ours"}};
  sources.overrides = {"registry.url=http://user:three@h", "s3.secret_key=four", "broken"};
  EXPECT_THAT(SecretsIn(sources), UnorderedElementsAre("one", "two", "three", "four"));
  Config config;
  config.s3.session_token = "five";
  config.kafka.security["sasl.password"] = "six";
  EXPECT_THAT(SecretsIn(config), IsSupersetOf({"five", "six"}));
}

}  // namespace
}  // namespace shopstream
