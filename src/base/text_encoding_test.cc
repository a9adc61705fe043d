#include "base/text_encoding.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream {
namespace {

std::string Decoded(std::string_view bytes, Encoding encoding, int64_t piece = 7) {
  const auto stream = ToUtf8(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::string(bytes))),
      encoding);
  std::string text;
  while (true) {
    const auto read = stream->Read(piece).ValueOrDie();
    if (read->size() == 0) return text;
    text += static_cast<std::string_view>(*read);
    EXPECT_EQ(stream->Tell().ValueOrDie(), static_cast<int64_t>(text.size()));
  }
}

std::string_view Bytes(const char* text, size_t size) { return {text, size}; }

TEST(TextEncoding, DecodesEachEncoding) {
  EXPECT_EQ(Decoded("Café", Encoding::kUtf8), "Café");
  EXPECT_EQ(Decoded("Caf\xe9 cr\xe8me", Encoding::kLatin1), "Café crème");
  EXPECT_EQ(Decoded("\x85", Encoding::kLatin1), "\xc2\x85");
  EXPECT_EQ(Decoded("5 \x80 \x96 \x9f", Encoding::kCp1252), "5 € – Ÿ");
  EXPECT_EQ(Decoded(Bytes("\xff\xfe"
                          "A\0\xe9\0=\xd8\0\xde",
                          10),
                    Encoding::kUtf16),
            "Aé😀");
  EXPECT_EQ(Decoded(Bytes("\xfe\xff\0A\xd8=\xde\0", 8), Encoding::kUtf16), "A😀");
  EXPECT_EQ(Decoded(Bytes("A\0B\0", 4), Encoding::kUtf16), "AB");
}

TEST(TextEncoding, MarksWhatCannotBeDecoded) {
  EXPECT_EQ(Decoded("a\x81"
                    "b",
                    Encoding::kCp1252),
            "a\xff"
            "b");
  // Half a pair: high alone, low alone, at the end; and half a unit.
  EXPECT_EQ(Decoded(Bytes("=\xd8"
                          "A\0",
                          4),
                    Encoding::kUtf16),
            "\xff"
            "A");
  EXPECT_EQ(Decoded(Bytes("\0\xde"
                          "A\0",
                          4),
                    Encoding::kUtf16),
            "\xff"
            "A");
  EXPECT_EQ(Decoded(Bytes("A\0=\xd8", 4), Encoding::kUtf16), "A\xff");
  EXPECT_EQ(Decoded(Bytes("A\0B", 3), Encoding::kUtf16), "A\xff");
}

TEST(TextEncoding, PiecesOfAnySizeGiveTheSameText) {
  std::string long_text;
  for (int i = 0; i < 400'000; ++i) long_text += i % 3 == 0 ? '\xe9' : 'x';
  const std::string whole = Decoded(long_text, Encoding::kLatin1, 1 << 20);
  EXPECT_EQ(whole.size(), 400'000u + 133'334u);
  EXPECT_EQ(Decoded(long_text, Encoding::kLatin1, 65'537), whole);
}

TEST(TextEncoding, KnowsUtf8) {
  for (const char* text : {"", "a", "\xc3\xbc", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(IsUtf8(text)) << text;
  for (const char* text : {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80"}) EXPECT_FALSE(IsUtf8(text));
}

TEST(TextEncoding, KnowsCommonNames) {
  for (const char* name : {"latin-1", "Latin1", "ISO-8859-1", "iso8859_1"}) {
    EXPECT_EQ(ParseEncoding(name), Encoding::kLatin1) << name;
  }
  EXPECT_EQ(ParseEncoding("UTF-8"), Encoding::kUtf8);
  EXPECT_EQ(ParseEncoding("Windows-1252"), Encoding::kCp1252);
  EXPECT_EQ(ParseEncoding("utf_16"), Encoding::kUtf16);
  EXPECT_EQ(ParseEncoding("koi8-r"), std::nullopt);
  for (const Encoding encoding :
       {Encoding::kUtf8, Encoding::kLatin1, Encoding::kCp1252, Encoding::kUtf16}) {
    EXPECT_EQ(ParseEncoding(NameOf(encoding)), encoding);
  }
}

}  // namespace
}  // namespace shopstream
