#include "ingest/first_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_kind.h"
#include "ingest/testing.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kOct24;

// A registry with subjects and ids.
class Registry : public registry::SchemaSource {
 public:
  registry::LookUp ById(int32_t id) override { return ids.Answer(id); }
  Result<registry::RegisteredSchema> Latest(const std::string& subject) override {
    asked.push_back(subject);
    if (!subjects.contains(subject)) return Status::KeyError("no subject ", subject);
    return registry::RegisteredSchema{
        .id = 1, .version = 1, .subject = subject, .schema = subjects.at(subject)};
  }
  testing::ListedRegistry ids;
  std::map<std::string, std::string> subjects;
  std::vector<std::string> asked;
};

class FirstSchemaTest : public ::testing::Test {
 protected:
  std::optional<int32_t> Look(std::optional<std::string> value) {
    const auto found = peek_.Look(records_.Make(0, 0, std::move(value)));
    EXPECT_TRUE(found.ok()) << found.status();
    return *found ? std::optional((*found)->schema == testing::kEventSchema ? 1 : 0) : std::nullopt;
  }

  Registry registry_;
  testing::Records records_;
  SchemaPeek peek_{&registry_};
};

TEST_F(FirstSchemaTest, TheFirstRecordOfAKnownRecordSchemaIsFoundBehindAllOthers) {
  registry_.ids.schemas = {
      {testing::kSchemaId, testing::kEventSchema}, {7, "\"string\""}, {8, "no schema"}};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(std::nullopt, Look(std::nullopt));
    EXPECT_EQ(std::nullopt, Look("garbage"));
    for (const int id : {7, 8, 9}) EXPECT_EQ(std::nullopt, Look(testing::Event(1, "", 1, id)));
  }
  EXPECT_THAT(registry_.ids.asked, ElementsAre(7, 8, 9)) << "each useless id is asked for once";
  EXPECT_EQ(1, Look(testing::Event(1, "US", kOct24)));
}

TEST_F(FirstSchemaTest, ATopicOfGarbageEndsTheSearch) {
  for (int64_t i = 0; i < SchemaPeek::kMaxRecords; ++i) {
    EXPECT_FALSE(peek_.gave_up());
    EXPECT_EQ(std::nullopt, Look("garbage"));
  }
  EXPECT_TRUE(peek_.gave_up());
}

TEST_F(FirstSchemaTest, TheRegistryIsAskedForABoundedNumberOfUselessIds) {
  for (int id = 1000; !peek_.gave_up(); ++id) Look(testing::Event(1, "", 1, id));
  EXPECT_EQ(SchemaPeek::kMaxIds, std::ssize(registry_.ids.asked));
}

TEST_F(FirstSchemaTest, AnOutageIsNoAnswer) {
  registry_.ids.out = true;
  const auto found = peek_.Look(records_.Make(0, 0, testing::Event(1, "US", kOct24)));
  EXPECT_TRUE(IsUnavailable(found.status()));
}

TEST_F(FirstSchemaTest, TheSubjectComesFirstIfTheTopicHasOne) {
  int peeked = 0;
  const PeekSchema peek = [&]() -> Result<std::optional<registry::RegisteredSchema>> {
    ++peeked;
    return registry::RegisteredSchema{
        .id = 2, .version = 1, .subject = "", .schema = testing::EventWith("left", "string")};
  };
  registry_.subjects = {{"orders-value", testing::kEventSchema}, {"mine", testing::kEventSchema}};
  const auto fields = [&](const registry::SubjectNaming& naming, const std::string& topic) {
    return FindFirstSchema(&registry_, naming, topic, peek)->root().fields.size();
  };
  EXPECT_EQ(3u, fields({}, "orders"));
  EXPECT_EQ(3u, fields({.subject = "mine"}, "other"));
  EXPECT_EQ(0, peeked);
  EXPECT_EQ(4u, fields({}, "other"));
  EXPECT_EQ(4u, fields({.strategy = "record"}, "orders"));
  EXPECT_EQ(4u, fields({.strategy = "topic_record"}, "orders"));
  EXPECT_EQ(3, peeked);
  EXPECT_THAT(registry_.asked, ElementsAre("orders-value", "mine", "other-value"));

  const Status none = FindFirstSchema(&registry_, {}, "other", nullptr).status();
  EXPECT_TRUE(none.IsKeyError());
  EXPECT_THAT(
      none.message(),
      HasSubstr("topic other: none of its first 1000 records has a schema that the registry "
                "knows, and there is no subject other-value. "));
  EXPECT_THAT(none.message(), HasSubstr("schema register"));
  const registry::SubjectNaming by_record{.strategy = "record"};
  EXPECT_THAT(FindFirstSchema(&registry_, by_record, "other", nullptr).status().message(),
              ::testing::Not(HasSubstr("schema register")))
      << "the topic alone has no subject";
}

}  // namespace
}  // namespace shopstream::ingest
