#include "produce/handover.h"

#include <gtest/gtest.h>

#include <thread>

namespace shopstream::produce {
namespace {

constexpr Millis kLong{20'000};

// Parcels are distinguished by their number of bytes.
void Fill(Handover* handover, int64_t bytes) {
  std::unique_ptr<Parcel> parcel = handover->TakeEmpty();
  ASSERT_NE(parcel, nullptr);
  parcel->bytes = bytes;
  handover->GiveFull(std::move(parcel));
}

int64_t Take(Handover* handover) {
  std::unique_ptr<Parcel> parcel = handover->TakeFull(kLong);
  if (parcel == nullptr) return -1;
  const int64_t bytes = parcel->bytes;
  handover->GiveEmpty(std::move(parcel));
  return bytes;
}

TEST(Handover, KeepsTheOrder) {
  Handover handover(3);
  for (int64_t i = 1; i <= 3; ++i) Fill(&handover, i);
  for (int64_t i = 1; i <= 3; ++i) EXPECT_EQ(Take(&handover), i);
}

TEST(Handover, HandsOverEverythingThroughFewParcels) {
  constexpr int64_t kCount = 10'000;
  Handover handover(2);
  std::jthread filling([&] {
    for (int64_t i = 0; i < kCount; ++i) Fill(&handover, i);
    handover.Finish(Status::OK());
  });
  for (int64_t i = 0; i < kCount; ++i) ASSERT_EQ(Take(&handover), i);
  EXPECT_EQ(Take(&handover), -1);
  EXPECT_EQ(handover.finished(), Status::OK());
}

TEST(Handover, IsFinishedOnlyOnceAllIsTaken) {
  Handover handover(2);
  Fill(&handover, 7);
  handover.Finish(Status::IOError("the file ends"));
  EXPECT_EQ(handover.finished(), std::nullopt);
  EXPECT_EQ(Take(&handover), 7);
  ASSERT_TRUE(handover.finished().has_value());
  EXPECT_TRUE(handover.finished()->IsIOError());
}

TEST(Handover, StopWakesTheFillingThread) {
  Handover handover(1);
  Fill(&handover, 1);
  std::unique_ptr<Parcel> got = std::make_unique<Parcel>();
  std::jthread filling([&] { got = handover.TakeEmpty(); });
  handover.Stop();
  filling.join();
  EXPECT_EQ(got, nullptr);
  EXPECT_TRUE(handover.stopped());
}

TEST(Handover, TakingFromAnEmptyOneEndsByTime) {
  Handover handover(1);
  EXPECT_EQ(handover.TakeFull(Millis{1}), nullptr);
  EXPECT_EQ(handover.finished(), std::nullopt);
}

}  // namespace
}  // namespace shopstream::produce
