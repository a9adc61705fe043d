#include "base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace shopstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    sources_.file =
        testing::TempDir() + "config_test_" + std::to_string(getpid()) + "_" + name + ".yaml";
    sources_.file_required = true;
  }
  void TearDown() override { std::filesystem::remove(sources_.file); }

  void File(const std::string& yaml) { std::ofstream(sources_.file) << yaml; }
  Result<Config> Load() { return LoadConfig(sources_); }
  std::string Error() {
    const Status status = Load().status();
    EXPECT_TRUE(status.IsInvalid());
    return status.message();
  }

  ConfigSources sources_;
};

TEST_F(ConfigTest, ASwitchIsTrueOrFalse) {
  File("ingest: {maintenance: false}\n");
  EXPECT_FALSE(Load()->ingest.maintenance);
  sources_.overrides = {"ingest.maintenance=true"};
  EXPECT_TRUE(Load()->ingest.maintenance);
  sources_.overrides = {"ingest.maintenance=maybe"};
  EXPECT_THAT(Error(), HasSubstr("neither true nor false"));
}

TEST_F(ConfigTest, OverridesWinOverEnvironmentOverFileOverDefaults) {
  File("kafka: {topic: file, group: file, bootstrap_servers: 'file:1'}\n");
  sources_.environment = {{"SHOPSTREAM_KAFKA_GROUP", "environment"},
                          {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS", "environment:1"},
                          {"HOME", "/root"}};
  sources_.overrides = {"kafka.bootstrap_servers=first:1", "kafka.bootstrap_servers=last:1"};
  const Config config = *Load();
  EXPECT_EQ("file", config.kafka.topic);
  EXPECT_EQ("environment", config.kafka.group);
  EXPECT_EQ("last:1", config.kafka.bootstrap_servers);
  EXPECT_EQ(".shopstream/lake", config.lake.uri);
}

TEST_F(ConfigTest, ListsAreWrittenWithCommasOrAsAList) {
  EXPECT_THAT(LoadConfig({})->ingest.partition_values, ElementsAre("US", "EU", "ASIA"));
  File("ingest: {partition_values: [north, south]}\n");
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre("north", "south"));
  sources_.overrides = {"ingest.partition_values=a,b c"};
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre("a", "b c"));
  sources_.overrides = {"ingest.partition_values="};
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre());
  File("ingest: {partition_values: []}\n");
  sources_.overrides = {};
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre());
  sources_.overrides = {"ingest.partition_values=a,,b"};
  EXPECT_THAT(Error(), HasSubstr("is empty"));
  sources_.overrides = {"ingest.partition_values=a,b,a"};
  EXPECT_THAT(Error(), HasSubstr("twice"));
}

// The values belong to the field: each source, in ascending precedence, sets the field alone, the
// values alone, or both.
TEST_F(ConfigTest, ANewPartitionFieldDropsTheValuesOfTheOldOne) {
  enum class Sets { kField, kValues, kBoth };
  constexpr Sets kAll[] = {Sets::kField, Sets::kValues, Sets::kBoth};
  for (const Sets file : kAll) {
    for (const Sets set : kAll) {
      std::string yaml = "ingest:\n";
      if (file != Sets::kValues) yaml += "  partition_field: store\n";
      if (file != Sets::kField) yaml += "  partition_values: [north]\n";
      File(yaml);
      sources_.overrides.clear();
      if (set != Sets::kField) sources_.overrides.emplace_back("ingest.partition_values=x");
      if (set != Sets::kValues) sources_.overrides.emplace_back("ingest.partition_field=shop");
      const IngestConfig ingest = Load()->ingest;
      if (set == Sets::kField) {
        EXPECT_THAT(ingest.partition_values, ElementsAre());
      } else {
        EXPECT_THAT(ingest.partition_values, ElementsAre("x"));
      }
      const char* const from_file = file == Sets::kValues ? "region" : "store";
      EXPECT_THAT(ingest.partition_field, ElementsAre(set == Sets::kValues ? from_file : "shop"));
    }
  }
  File("ingest: {partition_field: store}\n");
  sources_.overrides.clear();
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre());
  sources_.environment = {{"SHOPSTREAM_INGEST_PARTITION_VALUES", "a"}};
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre("a"));
  sources_.overrides = {"ingest.partition_field=store"};  // The same field: nothing to drop.
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre("a"));
  sources_.environment = {{"SHOPSTREAM_INGEST_PARTITION_FIELD", "shop"}};
  sources_.overrides = {"ingest.partition_values=b"};
  EXPECT_THAT(Load()->ingest.partition_values, ElementsAre("b"));
}

TEST_F(ConfigTest, SettingsThatExcludeEachOther) {
  File("ingest: {partition_field: [a, b], partition_values: [x]}\n");
  EXPECT_THAT(Error(), HasSubstr("ingest.partition_field names 2: leave"));
  File("ingest: {event_time_field: '', event_time_unit: ms}\n");
  EXPECT_THAT(Error(), HasSubstr("leave both empty"));
  File("lake: {bronze_table: a, quarantine_table: a}\n");
  EXPECT_THAT(Error(), HasSubstr("give each its own table"));
}

TEST_F(ConfigTest, ATablesNameIsAPathThatReadersSee) {
  for (const char* name : {"bronze-events", "sensors/bronze_2.x"}) {
    sources_.file = "";
    sources_.overrides = {"lake.bronze_table=" + std::string(name)};
    EXPECT_EQ(Load()->lake.bronze_table, name);
  }
  for (const char* name : {"", "/a", "a/", "a//b", "_a", "a/.b", "a b", ".."}) {
    sources_.overrides = {"lake.bronze_table=" + std::string(name)};
    EXPECT_THAT(Error(), HasSubstr("not a table's name"));
  }
}

TEST_F(ConfigTest, AMissingFileIsAnErrorOnlyWhenAskedFor) {
  EXPECT_THAT(Error(), HasSubstr("no such configuration file"));
  sources_.file_required = false;
  EXPECT_TRUE(Load().ok());
}

TEST_F(ConfigTest, AnUnknownKeyNamesItsPlaceAndTheNearest) {
  File("kafka:\n  topic: x\n  gruop: y\n");
  EXPECT_EQ(sources_.file + ":3: unknown setting 'kafka.gruop'; did you mean 'kafka.group'?",
            Error());
  File("");
  sources_.overrides = {"ingest.batchsize=7"};
  EXPECT_EQ("--set: unknown setting 'ingest.batchsize'; did you mean 'ingest.batch_size'?",
            Error());
}

TEST_F(ConfigTest, AnUnknownVariableInAKnownSectionIsASlip) {
  File("");
  sources_.environment = {{"SHOPSTREAM_KAFKA_TOPICS", "x"}};
  EXPECT_THAT(Error(), HasSubstr("did you mean 'SHOPSTREAM_KAFKA_TOPIC'?"));
  sources_.environment = {{"SHOPSTREAM_DEPS", "/opt"}, {"SHOPSTREAM_", "x"}};
  EXPECT_TRUE(Load().ok());
}

TEST_F(ConfigTest, WrongTypesAndBoundsNameKeyAndSource) {
  File("ingest:\n  batch_size: many\n");
  EXPECT_THAT(Error(), HasSubstr(":2: ingest.batch_size: 'many' is not a whole number"));
  File("ingest:\n  batch_size: 0\n");
  EXPECT_THAT(Error(), HasSubstr("0 is out of bounds: 1 to 100000000"));
  File("ingest:\n  batch_size: 99999999999999999999\n");
  EXPECT_THAT(Error(), HasSubstr("out of bounds"));
  File("registry: {url: localhost}\n");
  EXPECT_THAT(Error(), HasSubstr("registry.url: 'localhost' is not a URL"));
  File("metrics: {listen: 9464}\n");
  EXPECT_THAT(Error(), HasSubstr("metrics.listen: '9464' is not an address"));
  File("kafka: {topic: ''}\n");
  EXPECT_THAT(Error(), HasSubstr("kafka.topic: must not be empty"));
}

TEST_F(ConfigTest, SecurityIsAFreeMap) {
  File("kafka:\n  security:\n    security.protocol: SASL_SSL\n    sasl: {mechanism: PLAIN}\n");
  sources_.environment = {{"SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD", "secret"}};
  sources_.overrides = {"kafka.security.sasl.username=x=y"};
  EXPECT_THAT(Load()->kafka.security,
              ElementsAre(Pair("sasl.mechanism", "PLAIN"), Pair("sasl.password", "secret"),
                          Pair("sasl.username", "x=y"), Pair("security.protocol", "SASL_SSL")));
}

TEST_F(ConfigTest, EmptySectionsAndValues) {
  File("kafka:\n  # topic: x\ns3: ~\nmetrics:\n  listen:\n");
  EXPECT_EQ("", Load()->metrics.listen);
  EXPECT_EQ("shopstream-purchases", Load()->kafka.topic);
}

TEST_F(ConfigTest, BrokenFilesAreRefusedWithTheirLine) {
  File("kafka: {topic: x\nlake: y");
  EXPECT_THAT(Error(), HasSubstr("not valid YAML"));
  File("- a\n- b\n");
  EXPECT_THAT(Error(), HasSubstr("must be a value or a map"));
  File("just text");
  EXPECT_THAT(Error(), HasSubstr("expected sections such as `kafka:`"));
  File("kafka:\n  topic: [a]\n");
  EXPECT_THAT(Error(), HasSubstr(":2: kafka.topic must be a value"));
  File("kafka:\n  topic: a\n  topic: b\n");
  EXPECT_THAT(Error(), HasSubstr(":3: kafka.topic is set a second time"));
  sources_.overrides = {"nonsense"};
  File("");
  EXPECT_THAT(Error(), HasSubstr("write --set key=value"));
}

TEST_F(ConfigTest, ASectionIsNoSetting) {
  File("kafka: hello\n");
  EXPECT_THAT(Error(), HasSubstr(":1: 'kafka' is a section: write its settings below it, indented, "
                                 "such as `topic: ...`"));
  File("kafka:\n  security: hello\n");
  EXPECT_THAT(Error(), HasSubstr(":2: 'kafka.security' is a section: write its settings below it, "
                                 "indented, such as `sasl.username: ...`"));
  File("");
  sources_.environment = {{"SHOPSTREAM_KAFKA", "x"}};
  EXPECT_EQ(
      "environment variable SHOPSTREAM_KAFKA: 'kafka' is a section: name a setting of it, "
      "such as kafka.topic",
      Error());
  sources_.environment = {{"SHOPSTREAM_KAFKA_SECURITY", "x"}};
  EXPECT_THAT(Error(), HasSubstr("such as kafka.security.sasl.username"));
  sources_.environment.clear();
  sources_.overrides = {"kafka=x"};
  EXPECT_EQ("--set: 'kafka' is a section: name a setting of it, such as kafka.topic", Error());
}

TEST_F(ConfigTest, EverySettingCanBeSetToItsDefault) {
  File("");
  for (const SettingHelp& setting : ListSettings()) {
    if (setting.key == "kafka.security.*") continue;
    sources_.overrides.push_back(setting.key + "=" + setting.default_value);
  }
  EXPECT_TRUE(Load().ok()) << Load().status();
}

}  // namespace
}  // namespace shopstream
