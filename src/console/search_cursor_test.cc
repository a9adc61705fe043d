#include "console/search_cursor.h"

#include <gtest/gtest.h>

#include <limits>

namespace shopstream::console {
namespace {

SearchRequest Request(const std::string& identity) {
  SearchRequest request;
  request.identity = identity;
  return request;
}

const SearchProgress kProgress = {"mzBd-_4QTLa_dDeJkhpbPA",
                                  {{0, 10, 90, 40}, {2, 0, std::numeric_limits<int64_t>::max(), 0}},
                                  1234,
                                  5};

TEST(SearchCursorTest, ACursorKeepsTheProgress) {
  const std::string cursor = ToCursor(kProgress, Request("purchases\nlamp"));
  EXPECT_EQ(*ParseCursor(cursor, Request("purchases\nlamp")), kProgress);
  EXPECT_EQ(cursor.find_first_of(" &?#%+/="), std::string::npos);
}

TEST(SearchCursorTest, ACursorOfAnotherSearchIsRefused) {
  const std::string cursor = ToCursor(kProgress, Request("purchases\nlamp"));
  EXPECT_TRUE(ParseCursor(cursor, Request("purchases\ntent")).status().IsInvalid());
}

TEST(SearchCursorTest, EveryTruncatedOrChangedCursorIsRefused) {
  const SearchRequest request = Request("purchases");
  const std::string cursor = ToCursor(kProgress, request);
  for (size_t length = 0; length < cursor.size(); ++length) {
    EXPECT_TRUE(ParseCursor(cursor.substr(0, length), request).status().IsInvalid()) << length;
  }
  for (size_t place = 0; place < cursor.size(); ++place) {
    std::string changed = cursor;
    changed[place] = changed[place] == '1' ? '2' : '1';
    EXPECT_TRUE(ParseCursor(changed, request).status().IsInvalid()) << changed;
  }
}

TEST(SearchCursorTest, WhatIsLeftDependsOnTheOrder) {
  EXPECT_TRUE(IsScanned({0, 10, 90, 10}, SearchOrder::kNewest));
  EXPECT_FALSE(IsScanned({0, 10, 90, 10}, SearchOrder::kOldest));
  EXPECT_TRUE(IsScanned({0, 10, 90, 90}, SearchOrder::kOldest));
  EXPECT_TRUE(IsScanned({0, 7, 7, 7}, SearchOrder::kNewest));
}

}  // namespace
}  // namespace shopstream::console
