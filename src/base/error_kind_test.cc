#include "base/error_kind.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(ErrorKind, IsKeptWhenTheMessageGrows) {
  const Status error = Refused("cannot open ", "x");
  const Status longer = error.WithMessage("table t: ", error.message());
  EXPECT_EQ(KindOf(longer), ErrorKind::kRefused);
  EXPECT_EQ(longer.message(), "table t: cannot open x");
}

TEST(ErrorKind, OnlyUnavailableIsWorthARetry) {
  EXPECT_TRUE(IsUnavailable(Unavailable("no answer")));
  for (const Status& status : {Refused("a"), Corrupt("b"), Gone("c"), Status::Invalid("d"),
                               Status::KeyError("e"), Status::OK()}) {
    EXPECT_FALSE(IsUnavailable(status)) << status;
  }
}

TEST(ErrorKind, OfAnErrorWithoutOneFollowsItsCode) {
  EXPECT_EQ(KindOf(Status::IOError("bad page")), ErrorKind::kCorrupt);
  EXPECT_EQ(KindOf(Status::KeyError("no table")), ErrorKind::kGone);
  EXPECT_EQ(KindOf(Status::NotImplemented("no")), ErrorKind::kInvalid);
}

TEST(ErrorKind, CanBeGivenToAnErrorOfAnyCode) {
  const Status busy = WithKind(ErrorKind::kUnavailable, Status::Invalid("busy"));
  EXPECT_TRUE(busy.IsInvalid());
  EXPECT_TRUE(IsUnavailable(busy));
  EXPECT_TRUE(WithKind(ErrorKind::kUnavailable, Status::OK()).ok());
}

}  // namespace
}  // namespace shopstream
