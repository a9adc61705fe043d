#include "generate/uuid.h"

#include <gtest/gtest.h>

#include "generate/random.h"

namespace shopstream::generate {
namespace {

constexpr Uuid kDnsNamespace{0x6ba7b8109dad11d1, 0x80b400c04fd430c8};

TEST(Uuid, Version5OfTheRfcsExample) {  // RFC 9562, appendix A.4
  EXPECT_EQ(ToString(MakeUuidV5(kDnsNamespace, "www.example.com")),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid, Version5OfPythonsExample) {  // The documentation of Python's module uuid.
  EXPECT_EQ(ToString(MakeUuidV5(kDnsNamespace, "python.org")),
            "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

TEST(Uuid, Version4HasItsMarks) {
  Random random(1);
  for (int i = 0; i < 100; ++i) {
    const uint64_t high = random.Next();
    const std::string text = ToString(MakeUuidV4(high, random.Next()));
    EXPECT_EQ(text[14], '4') << text;
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
  }
}

TEST(Uuid, ReadsWhatItWrites) {
  const std::string text = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  ASSERT_TRUE(ParseUuid(text).ok());
  EXPECT_EQ(*ParseUuid(text), kDnsNamespace);
  EXPECT_EQ(ToString(kDnsNamespace), text);
}

TEST(Uuid, RefusesOtherText) {
  for (const char* text :
       {"", "dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b810x9dad-11d1-80b4-00c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cg"}) {
    EXPECT_TRUE(ParseUuid(text).status().IsInvalid()) << text;
  }
}

}  // namespace
}  // namespace shopstream::generate
