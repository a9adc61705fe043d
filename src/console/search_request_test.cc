#include "console/search_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::console {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<SearchRequest> Read(const std::string& query) {
  HttpRequest http;
  http.raw_query = query;
  return ReadSearchRequest("purchases", http);
}

TEST(SearchRequestTest, WithoutParametersItIsTheNewestRecordsOfAll) {
  const auto request = Read("");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->order, SearchOrder::kNewest);
  EXPECT_EQ(request->from.form, records::ReadStart::Form::kStart);
  EXPECT_EQ(request->to.form, records::ReadStart::Form::kEnd);
  EXPECT_TRUE(request->partitions.empty());
  EXPECT_FALSE(request->query.text || request->query.condition || request->query.key);
}

TEST(SearchRequestTest, EveryParameterIsRead) {
  const auto request = Read(
      "text=blue+lamp&where=amount%20%3E%20100&key_hex=00fF&partitions=2,0&from=7&to=@1000000&"
      "order=oldest&limit=500");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->query.text, "blue lamp");
  EXPECT_EQ(request->query.condition, "amount > 100");
  EXPECT_EQ(request->query.key, std::string("\0\xff", 2));
  EXPECT_THAT(request->partitions, ElementsAre(0, 2));
  EXPECT_EQ(request->from.number, 7);
  EXPECT_EQ(request->to.number, 1000000);
  EXPECT_EQ(request->order, SearchOrder::kOldest);
  EXPECT_EQ(request->limit, 500);
}

TEST(SearchRequestTest, ALiveTailStartsAtTheEnd) {
  const auto tail = Read("follow=true");
  ASSERT_TRUE(tail.ok());
  EXPECT_EQ(tail->from.form, records::ReadStart::Form::kEnd);
  EXPECT_EQ(tail->order, SearchOrder::kOldest);
}

TEST(SearchRequestTest, TheLimitDoesNotMakeAnotherSearch) {
  EXPECT_EQ(Read("text=a&limit=3")->identity, Read("text=a&cursor=x")->identity);
  EXPECT_NE(Read("text=a")->identity, Read("where=a")->identity);
}

TEST(SearchRequestTest, AnErrorNamesTheParameter) {
  for (const auto& [query, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"form=3", "did you mean 'from'?"},
           {"from=yesterday", "'from'"},
           {"to=x", "'to'"},
           {"limit=0", "'limit'"},
           {"limit=501", "'limit'"},
           {"order=up", "'order'"},
           {"follow=1", "'follow'"},
           {"follow=true&to=7", "no end"},
           {"follow=true&order=newest", "oldest first"},
           {"key_hex=abc", "'key_hex'"},
           {"key=a&key_hex=61", "not both"},
           {"partitions=a", "'partitions'"}}) {
    const auto request = Read(query);
    EXPECT_TRUE(request.status().IsInvalid()) << query;
    EXPECT_THAT(request.status().message(), HasSubstr(part));
  }
}

}  // namespace
}  // namespace shopstream::console
