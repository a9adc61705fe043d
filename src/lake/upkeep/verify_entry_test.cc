#include "lake/upkeep/verify_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shopstream::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Columns = std::optional<std::vector<std::string>>;

std::vector<std::string> Faults(const std::string& text, Columns columns = {}) {
  std::vector<std::string> faults;
  CheckEntryForm(text, &columns, [&](const std::string& reason) { faults.push_back(reason); });
  return faults;
}

constexpr char kAdd[] =
    R"({"add":{"path":"a","partitionValues":{"region":null},"size":1,"modificationTime":2,)"
    R"("dataChange":true}})";
constexpr char kRemove[] = R"({"remove":{"path":"a","dataChange":true}})";

TEST(VerifyEntryTest, WhatTheProtocolDemandsIsEnough) {
  EXPECT_THAT(Faults(kAdd, {{"region"}}), IsEmpty());
  EXPECT_THAT(Faults(R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"","partitionColumns":[],"configuration":{}}}
{"txn":{"appId":"x","version":0}}
{"commitInfo":{},"unknown":{"x":1}}
{"remove":{"path":"b","dataChange":false,"partitionValues":null,"size":null}}
{"add":null})"),
              IsEmpty());
  EXPECT_THAT(Faults(R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,)"
                     R"("readerFeatures":["columnMapping"],)"
                     R"("writerFeatures":["columnMapping","appendOnly"]}})"),
              IsEmpty());
}

TEST(VerifyEntryTest, AFileOccursOnce) {
  for (const auto& [first, second] : {std::pair(kAdd, kAdd), {kAdd, kRemove}, {kRemove, kAdd}}) {
    EXPECT_THAT(Faults(std::string(first) + "\n" + second),
                ElementsAre(HasSubstr("adds or removes a more than once")));
  }
}

TEST(VerifyEntryTest, PartitionValuesAreThoseOfTheTableOrOfTheEntrysMetadata) {
  EXPECT_THAT(Faults(kAdd, {{"day"}}), ElementsAre(HasSubstr("no value of partition day"),
                                                   HasSubstr("has a value of region")));
  EXPECT_THAT(Faults(kAdd, std::nullopt), IsEmpty());
  const std::string metadata =
      R"({"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"",)"
      R"("partitionColumns":["region"],"configuration":{}}})";
  EXPECT_THAT(Faults(std::string(kAdd) + "\n" + metadata, {{"day"}}), IsEmpty());
}

TEST(VerifyEntryTest, EachRequiredFieldIsMissed) {
  EXPECT_THAT(Faults(R"({"add":{}})"), testing::SizeIs(5));
  EXPECT_THAT(Faults(R"({"remove":{"path":5,"dataChange":"x"}})"), testing::SizeIs(2));
  EXPECT_THAT(Faults(R"({"txn":{"appId":"x","version":"1"}})"),
              ElementsAre(HasSubstr("wrong version")));
  EXPECT_THAT(Faults(R"({"metaData":{"format":{}}})"), testing::SizeIs(6));
  EXPECT_THAT(Faults(R"({"add":[]})"), ElementsAre(HasSubstr("not a JSON object")));
  EXPECT_THAT(Faults(""), ElementsAre("it has no action"));
}

TEST(VerifyEntryTest, ListsOfFeaturesBelongToTheirVersions) {
  const auto protocol = [](const std::string& fields) {
    return Faults(R"({"protocol":{)" + fields + "}}");
  };
  EXPECT_THAT(protocol(R"("minReaderVersion":0,"minWriterVersion":2)"),
              ElementsAre(HasSubstr("wrong minReaderVersion")));
  EXPECT_THAT(protocol(R"("minReaderVersion":1,"minWriterVersion":7)"),
              ElementsAre(HasSubstr("lacks writerFeatures")));
  EXPECT_THAT(protocol(R"("minReaderVersion":1,"minWriterVersion":2,"writerFeatures":[])"),
              ElementsAre(HasSubstr("minWriterVersion 2 does not have")));
  EXPECT_THAT(
      protocol(R"("minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["deletionVectors"])"),
      ElementsAre(HasSubstr("deletionVectors, but not as a reader feature")));
}

TEST(VerifyEntryTest, PathsHaveNoPartThatReadersResolve) {
  EXPECT_EQ("", PathFault("region=a..b/.x/y.parquet"));
  for (const char* path : {"./a", "a/./b", "../a", "a/..", "a//b", "/a", "a/", ""}) {
    EXPECT_NE("", PathFault(path)) << path;
  }
}

}  // namespace
}  // namespace shopstream::lake
