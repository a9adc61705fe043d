#include "refine/id_hash.h"

#include <arrow/array.h>
#include <arrow/type_traits.h>
#include <arrow/visit_array_inline.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

namespace shopstream::refine {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr int64_t kRowsAtOnce = 1024;

uint64_t WordAt(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

class SipState {
 public:
  explicit SipState(const HashKey& key)
      : v_{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee,
           key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573} {}

  void Compress(uint64_t word) {
    v_[3] ^= word;
    Rounds(2);
    v_[0] ^= word;
  }
  uint64_t Finalize(uint64_t* v, uint64_t mark) {
    *v ^= mark;
    Rounds(4);
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }
  Hash128 Finish() {
    const uint64_t low = Finalize(&v_[2], 0xee);
    return {.high = Finalize(&v_[1], 0xdd), .low = low};
  }

 private:
  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v_[0] += v_[1];
      v_[1] = std::rotl(v_[1], 13) ^ v_[0];
      v_[0] = std::rotl(v_[0], 32);
      v_[2] += v_[3];
      v_[3] = std::rotl(v_[3], 16) ^ v_[2];
      v_[0] += v_[3];
      v_[3] = std::rotl(v_[3], 21) ^ v_[0];
      v_[2] += v_[1];
      v_[1] = std::rotl(v_[1], 17) ^ v_[2];
      v_[2] = std::rotl(v_[2], 32);
    }
  }

  uint64_t v_[4];
};

// Appends each value of a column to its row's text, so that no two lists of values give one text.
class RowTexts {
 public:
  explicit RowTexts(std::vector<std::string>* rows) : rows_(rows) {}

  template <typename ArrayType>
  Status Visit(const ArrayType& array) {
    using Type = typename ArrayType::TypeClass;
    if constexpr (arrow::is_base_binary_type<Type>::value ||
                  arrow::is_fixed_size_binary_type<Type>::value) {
      return Append(array, [&](int64_t row, std::string* text) {
        const std::string_view value = array.GetView(row);
        AppendNumber(std::ssize(value), text);
        text->append(value);
      });
    } else if constexpr (arrow::is_boolean_type<Type>::value) {
      return Append(array, [&](int64_t row, std::string* text) {
        text->push_back(array.Value(row) ? '\1' : '\0');
      });
    } else if constexpr (arrow::is_floating_type<Type>::value &&
                         !arrow::is_half_float_type<Type>::value) {
      return Append(array, [&](int64_t row, std::string* text) {
        // 0.0 equals -0.0.
        AppendNumber(std::bit_cast<int64_t>(static_cast<double>(array.Value(row)) + 0.0), text);
      });
    } else if constexpr (arrow::has_c_type<Type>::value && !arrow::is_interval_type<Type>::value &&
                         !arrow::is_half_float_type<Type>::value &&
                         !arrow::is_decimal_type<Type>::value) {
      return Append(array, [&](int64_t row, std::string* text) {
        AppendNumber(static_cast<int64_t>(array.Value(row)), text);
      });
    } else {
      return Status::NotImplemented("values of type ", array.type()->ToString(),
                                    " cannot be told apart by hash");
    }
  }

 private:
  static void AppendNumber(int64_t number, std::string* text) {
    text->append(reinterpret_cast<const char*>(&number), sizeof number);
  }

  template <typename ArrayType, typename AppendValue>
  Status Append(const ArrayType& array, const AppendValue& append_value) {
    for (int64_t row = 0; row < array.length(); ++row) {
      std::string& text = (*rows_)[static_cast<size_t>(row)];
      text.push_back(array.IsValid(row) ? '\1' : '\0');
      if (array.IsValid(row)) append_value(row, &text);
    }
    return Status::OK();
  }

  std::vector<std::string>* const rows_;
};

}  // namespace

Hash128 HashOf(const HashKey& key, std::string_view bytes) {
  SipState state(key);
  const size_t whole = bytes.size() / 8 * 8;
  for (size_t at = 0; at < whole; at += 8) state.Compress(WordAt(bytes.data() + at));
  uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
  if (whole < bytes.size()) std::memcpy(&last, bytes.data() + whole, bytes.size() - whole);
  state.Compress(last);
  const Hash128 hash = state.Finish();
  return hash == Hash128{} ? Hash128{.high = 0, .low = 1} : hash;
}

Result<std::vector<Hash128>> HashRows(const HashKey& key,
                                      const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  const int64_t count = columns.empty() ? 0 : columns[0]->length();
  std::vector<Hash128> hashes;
  hashes.reserve(static_cast<size_t>(count));
  std::vector<std::string> texts;  // Their memory is used again.
  for (int64_t begin = 0; begin < count; begin += kRowsAtOnce) {
    texts.resize(static_cast<size_t>(std::min(kRowsAtOnce, count - begin)));
    for (std::string& text : texts) text.clear();
    RowTexts append(&texts);
    for (const auto& column : columns) {
      const auto slice = column->Slice(begin, std::ssize(texts));
      ARROW_RETURN_NOT_OK(arrow::VisitArrayInline(*slice, &append));
    }
    for (const std::string& text : texts) hashes.push_back(HashOf(key, text));
  }
  return hashes;
}

}  // namespace shopstream::refine
