#include "kafka/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

namespace shopstream::kafka {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string ValueOf(rd_kafka_conf_t* conf, const char* key) {
  char value[256];
  size_t size = sizeof(value);
  return rd_kafka_conf_get(conf, key, value, &size) == RD_KAFKA_CONF_OK ? value : "(unset)";
}

TEST(MakeConf, UsersSecurityStandsAboveTheProgramsProperties) {
  KafkaConfig config;
  config.bootstrap_servers = "broker-1:9092";
  config.security = {{"socket.timeout.ms", "7000"}};
  auto conf = MakeConf(config, {{"socket.timeout.ms", "5000"}, {"linger.ms", "7"}}, nullptr);
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_EQ("broker-1:9092", ValueOf(*conf, "bootstrap.servers"));
  EXPECT_EQ("7000", ValueOf(*conf, "socket.timeout.ms"));
  EXPECT_EQ("7", ValueOf(*conf, "linger.ms"));
  rd_kafka_conf_destroy(*conf);
}

TEST(MakeConf, TlsTrustsTheSystemsAuthoritiesUnlessOthersAreNamed) {
  KafkaConfig config;
  config.security = {{"security.protocol", "SASL_SSL"}};
  auto conf = MakeConf(config, {}, nullptr);
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_EQ("probe", ValueOf(*conf, "ssl.ca.location"));
  rd_kafka_conf_destroy(*conf);
  config.security["ssl.ca.location"] = "/etc/ca.pem";
  conf = MakeConf(config, {}, nullptr);
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_EQ("/etc/ca.pem", ValueOf(*conf, "ssl.ca.location"));
  rd_kafka_conf_destroy(*conf);
}

TEST(MakeConf, RefusedPropertyIsNamedWithItsValue) {
  auto conf = MakeConf({}, {{"acks", "most"}}, nullptr);
  ASSERT_FALSE(conf.ok());
  EXPECT_THAT(conf.status().ToString(), AllOf(HasSubstr("acks"), HasSubstr("\"most\"")));
}

TEST(MakeConf, UnknownPropertyIsNamed) {
  KafkaConfig config;
  config.security = {{"security.protocoll", "SSL"}};
  auto conf = MakeConf(config, {}, nullptr);
  ASSERT_FALSE(conf.ok());
  EXPECT_THAT(conf.status().ToString(), HasSubstr("security.protocoll"));
}

TEST(MakeConf, SecretsAreNotPrinted) {
  KafkaConfig config;
  config.security = {{"sasl.passwordd", "hunter2"}};
  auto conf = MakeConf(config, {}, nullptr);
  ASSERT_FALSE(conf.ok());
  EXPECT_THAT(conf.status().ToString(),
              AllOf(HasSubstr("sasl.passwordd"), Not(HasSubstr("hunter2"))));
}

TEST(OpenClient, ContradictionBetweenPropertiesIsAnError) {
  auto conf = MakeConf({}, {{"enable.idempotence", "true"}, {"acks", "1"}}, nullptr);
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_TRUE(OpenClient(ClientKind::kProducer, *conf).status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::kafka
