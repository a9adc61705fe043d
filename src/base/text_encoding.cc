#include "base/text_encoding.h"

#include <arrow/buffer.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/format.h"

namespace shopstream {
namespace {

constexpr int64_t kReadBytes = 256 << 10;

// 0x80 to 0x9F; 0: not defined.
constexpr std::array<char16_t, 32> kCp1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

// Decodes piece by piece: what a piece leaves over is decoded with the next one.
class Transcoder {
 public:
  explicit Transcoder(Encoding encoding) : encoding_(encoding) {}

  void Decode(std::string_view bytes, bool at_end, std::string* out) {
    encoding_ == Encoding::kUtf16 ? DecodeUtf16(bytes, at_end, out) : DecodeBytes(bytes, out);
  }

 private:
  void DecodeBytes(std::string_view bytes, std::string* out) const {
    for (const char c : bytes) {
      char32_t code = static_cast<unsigned char>(c);
      if (encoding_ == Encoding::kCp1252 && code >= 0x80 && code < 0xA0) {
        code = kCp1252[code - 0x80];
        if (code == 0) {
          out->push_back(kUndecodable);
          continue;
        }
      }
      AppendUtf8(code, out);
    }
  }

  void DecodeUtf16(std::string_view bytes, bool at_end, std::string* out) {
    for (const char c : bytes) {
      if (!half_) {
        half_ = c;
        continue;
      }
      const auto first = static_cast<unsigned char>(*half_), second = static_cast<unsigned char>(c);
      half_.reset();
      AddUnit(static_cast<char16_t>(big_endian_ ? first << 8 | second : second << 8 | first), out);
    }
    if (at_end && (half_ || high_)) out->push_back(kUndecodable);
  }

  void AddUnit(char16_t unit, std::string* out) {
    const bool first = std::exchange(at_start_, false);
    if (first && (unit == 0xFEFF || unit == 0xFFFE)) {
      big_endian_ = unit == 0xFFFE;
      return;
    }
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    const auto high = std::exchange(high_, std::nullopt);
    if (high && is_low) {
      AppendUtf8(0x10000 + ((*high - 0xD800) << 10) + (unit - 0xDC00), out);
      return;
    }
    if (high || is_low) out->push_back(kUndecodable);
    if (is_low) return;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high_ = unit;
    } else {
      AppendUtf8(unit, out);
    }
  }

  const Encoding encoding_;
  bool at_start_ = true;
  bool big_endian_ = false;
  std::optional<char> half_;           // The first byte of a unit.
  std::optional<char16_t> high_ = {};  // The first unit of a pair.
};

class Utf8Stream : public arrow::io::InputStream {
 public:
  Utf8Stream(std::shared_ptr<arrow::io::InputStream> stream, Encoding encoding)
      : stream_(std::move(stream)), transcoder_(encoding) {}

  Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  Result<int64_t> Tell() const override { return position_; }

  Result<int64_t> Read(int64_t bytes, void* out) override {
    while (next_ == text_.size() && !at_end_) {
      ARROW_ASSIGN_OR_RAISE(const auto piece, stream_->Read(kReadBytes));
      at_end_ = piece->size() == 0;
      text_.clear();
      next_ = 0;
      transcoder_.Decode(static_cast<std::string_view>(*piece), at_end_, &text_);
    }
    const size_t given = std::min(static_cast<size_t>(bytes), text_.size() - next_);
    std::memcpy(out, text_.data() + next_, given);
    next_ += given;
    position_ += static_cast<int64_t>(given);
    return static_cast<int64_t>(given);
  }

  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    int64_t have = 0;
    while (have < bytes) {
      ARROW_ASSIGN_OR_RAISE(const int64_t more, Read(bytes - have, buffer->mutable_data() + have));
      if (more == 0) break;
      have += more;
    }
    ARROW_RETURN_NOT_OK(buffer->Resize(have));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  const std::shared_ptr<arrow::io::InputStream> stream_;
  Transcoder transcoder_;
  std::string text_;  // Decoded; given out up to next_.
  size_t next_ = 0;
  bool at_end_ = false;
  int64_t position_ = 0;
};

}  // namespace

bool IsUtf8(std::string_view text) {
  arrow::util::InitializeUTF8();  // Without it, Arrow accepts any bytes as text.
  return arrow::util::ValidateUTF8(text);
}

std::optional<Encoding> ParseEncoding(std::string_view name) {
  std::string plain = ToLower(std::string(name));
  std::erase_if(plain, [](char c) { return c == '-' || c == '_' || c == ' '; });
  if (plain == "utf8") return Encoding::kUtf8;
  if (plain == "latin1" || plain == "iso88591") return Encoding::kLatin1;
  if (plain == "cp1252" || plain == "windows1252") return Encoding::kCp1252;
  if (plain == "utf16") return Encoding::kUtf16;
  return std::nullopt;
}

const char* NameOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return "utf-8";
    case Encoding::kLatin1:
      return "latin-1";
    case Encoding::kCp1252:
      return "cp1252";
    case Encoding::kUtf16:
      return "utf-16";
  }
  return "";
}

std::shared_ptr<arrow::io::InputStream> ToUtf8(std::shared_ptr<arrow::io::InputStream> stream,
                                               Encoding encoding) {
  if (encoding == Encoding::kUtf8) return stream;
  return std::make_shared<Utf8Stream>(std::move(stream), encoding);
}

}  // namespace shopstream
