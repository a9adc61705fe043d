#include "produce/wire_fault.h"

#include <gtest/gtest.h>

namespace shopstream::produce {
namespace {

using generate::Fault;
using Bytes = std::vector<uint8_t>;

// Magic, schema id 7, then the string "abc" and the number 2.
const Bytes kRecord = {0, 0, 0, 0, 7, 6, 'a', 'b', 'c', 4};

TEST(WireFault, EveryKindIsWhatItsNameSays) {
  for (uint64_t random = 0; random < 1000; ++random) {
    EXPECT_TRUE(Break(kRecord, Fault::kEmpty, random).empty());
    const Bytes shorter = Break(kRecord, Fault::kShort, random);
    EXPECT_TRUE(shorter.size() >= 1 && shorter.size() <= 4) << shorter.size();
    EXPECT_NE(Break(kRecord, Fault::kWrongMagic, random)[0], 0);
    const Bytes unknown = Break(kRecord, Fault::kUnknownSchema, random);
    EXPECT_EQ(unknown[1], 0x7f);
    EXPECT_EQ(Bytes(unknown.begin() + 5, unknown.end()), Bytes(kRecord.begin() + 5, kRecord.end()));
    const Bytes cut = Break(kRecord, Fault::kTruncated, random);
    EXPECT_TRUE(cut.size() > 5 && cut.size() < kRecord.size()) << cut.size();
    EXPECT_GT(Break(kRecord, Fault::kTrailing, random).size(), kRecord.size());
    const Bytes huge = Break(kRecord, Fault::kHugeLength, random);
    EXPECT_EQ(Bytes(huge.begin() + 5, huge.begin() + 10), (Bytes{0xfe, 0xff, 0xff, 0xff, 0x0f}));
  }
}

TEST(WireFault, EqualRandomBreaksEqually) {
  for (const Fault fault : {Fault::kShort, Fault::kTruncated, Fault::kTrailing}) {
    EXPECT_EQ(Break(kRecord, fault, 12345), Break(kRecord, fault, 12345));
  }
}

TEST(WireFault, WhatIsBrokenInTheColumnsIsLeftAlone) {
  EXPECT_EQ(Break(kRecord, Fault::kFarFuture, 1), kRecord);
}

TEST(WireFault, RecordsOfTheFrameAloneCanBeBroken) {
  const Bytes frame = {0, 0, 0, 0, 7};
  EXPECT_EQ(Break(frame, Fault::kTruncated, 3), frame);
  EXPECT_EQ(Break(frame, Fault::kHugeLength, 3).size(), 10u);
}

}  // namespace
}  // namespace shopstream::produce
