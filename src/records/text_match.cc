#include "records/text_match.h"

#include <arrow/array/array_binary.h>

#include <algorithm>
#include <cstring>

#include "base/format.h"
#include "base/json.h"
#include "records/record_json.h"

namespace shopstream::records {
namespace {

constexpr char kDigits[] = "0123456789+-.e";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool ConsistsOf(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// Of every value in it, at any depth, but not of the names of fields.
bool IsInside(const nlohmann::ordered_json& value, const TextMatch& match) {
  if (value.is_string()) return match.IsIn(value.get_ref<const std::string&>());
  if (value.is_object() || value.is_array()) {
    return std::any_of(value.begin(), value.end(),
                       [&](const auto& part) { return IsInside(part, match); });
  }
  return !value.is_null() && match.IsIn(DumpJson(value));
}

}  // namespace

TextMatch::TextMatch(const std::string& text) : needle_(ToLower(text)) {}

bool TextMatch::IsIn(std::string_view text) const {
  return std::search(text.begin(), text.end(), needle_.begin(), needle_.end(),
                     [](char c, char wanted) { return Lower(c) == wanted; }) != text.end() ||
         needle_.empty();
}

bool TextMatch::IsInBytesOf(const kafka::RecordView& record, bool with_value) const {
  if (record.key && IsIn(AsText(*record.key))) return true;
  if (with_value && record.value && IsIn(AsText(*record.value))) return true;
  const kafka::Headers headers = kafka::ReadHeaders(record);
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
    return IsIn(header.first) || (header.second && IsIn(*header.second));
  });
}

// A column's texts are one piece of memory: it is searched as a whole, and most of it has none.
void TextMatch::FindInStrings(const arrow::Array& column, std::vector<bool>* rows) const {
  const auto& texts = static_cast<const arrow::StringArray&>(column);
  if (texts.length() == 0) return;
  const int32_t begin = texts.value_offset(0);
  const std::string_view raw(reinterpret_cast<const char*>(texts.raw_data()) + begin,
                             static_cast<size_t>(texts.value_offset(texts.length()) - begin));
  std::string all(raw);
  std::transform(all.begin(), all.end(), all.begin(), Lower);
  const int32_t* const offsets = texts.raw_value_offsets();
  size_t at = 0;
  while (at < all.size()) {
    const void* found = memmem(all.data() + at, all.size() - at, needle_.data(), needle_.size());
    if (found == nullptr) return;
    const auto place = static_cast<size_t>(static_cast<const char*>(found) - all.data());
    const auto* next = std::upper_bound(offsets, offsets + texts.length() + 1,
                                        begin + static_cast<int32_t>(place));
    const auto row = next - offsets - 1;
    const auto end = static_cast<size_t>(*next - begin);
    const bool is_within = place + needle_.size() <= end;
    if (is_within && texts.IsValid(row)) (*rows)[static_cast<size_t>(row)] = true;
    at = is_within ? end : place + 1;
  }
}

// False: no value of the type is printed with all these characters.
bool TextMatch::MayBeIn(const arrow::DataType& type) const {
  switch (type.id()) {
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DECIMAL128:
      return ConsistsOf(needle_, kDigits);
    case arrow::Type::DOUBLE:
      return ConsistsOf(needle_, std::string(kDigits) + "infnatyINFNATY\"");
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      return ConsistsOf(needle_, "0123456789-:.tz");
    case arrow::Type::BOOL:
      return std::string_view("true").find(needle_) != std::string_view::npos ||
             std::string_view("false").find(needle_) != std::string_view::npos;
    case arrow::Type::BINARY:
      return ConsistsOf(needle_, "0123456789abcdef");
    default:
      return true;
  }
}

void TextMatch::FindIn(const arrow::RecordBatch& values, std::vector<bool>* rows) const {
  if (needle_.empty()) {
    rows->assign(rows->size(), true);
    return;
  }
  for (const auto& column : values.columns()) {
    if (column->type_id() == arrow::Type::STRING) {
      FindInStrings(*column, rows);
      continue;
    }
    if (!MayBeIn(*column->type())) continue;
    for (int64_t row = 0; row < column->length(); ++row) {
      const auto place = static_cast<size_t>(row);
      if (!(*rows)[place]) (*rows)[place] = IsInside(ValueToJson(*column, row), *this);
    }
  }
}

}  // namespace shopstream::records
