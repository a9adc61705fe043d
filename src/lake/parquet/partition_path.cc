#include "lake/parquet/partition_path.h"

#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <cstdint>

#include "base/format.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

constexpr char kNullFolder[] = "__HIVE_DEFAULT_PARTITION__";
// In bytes; file systems allow 255.
constexpr size_t kLongestFolderName = 200;
constexpr size_t kKeptOfLongName = 180;
constexpr char kHex[] = "0123456789ABCDEF";

void AppendEscaped(char byte, std::string* out) {
  const auto value = static_cast<uint8_t>(byte);
  *out += '%';
  *out += kHex[value >> 4];
  *out += kHex[value & 0x0f];
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsPlain(c)) {
      out += c;
    } else {
      AppendEscaped(c, &out);
    }
  }
  return out;
}

// 64-bit FNV-1a: the same in every version and on every machine.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// The first bytes of the name, without splitting an escape, and the value's hash.
std::string Shorten(const std::string& name, std::string_view value) {
  size_t kept = kKeptOfLongName;
  if (name[kept - 1] == '%') kept -= 1;
  if (name[kept - 2] == '%') kept -= 2;
  std::string out = name.substr(0, kept) + '-';
  const uint64_t hash = Hash(value);
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[hash >> shift & 0x0f];
  return out;
}

// RFC 2396: unreserved characters, and those reserved ones that stand for themselves in a path.
bool UriPathKeeps(char c) { return IsPlain(c) || c == '~' || c == '/' || c == '='; }

// Parses any number of decimals and rescales to the column's scale.
Result<std::shared_ptr<arrow::Scalar>> ParseDecimal(const std::string& text,
                                                    const std::shared_ptr<arrow::DataType>& type) {
  arrow::Decimal128 value;
  int32_t precision = 0;
  int32_t scale = 0;
  const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
  const bool parsed = arrow::Decimal128::FromString(text, &value, &precision, &scale).ok();
  const auto rescaled = parsed ? value.Rescale(scale, decimal.scale())
                               : Result<arrow::Decimal128>(Status::Invalid(""));
  if (!rescaled.ok() || !rescaled->FitsInPrecision(decimal.precision())) {
    return Status::Invalid("partition value '", text, "' is not a valid ", type->ToString());
  }
  return std::make_shared<arrow::Decimal128Scalar>(*rescaled, type);
}

}  // namespace

std::string PartitionFolder(const PartitionValues& values) {
  std::string folder;
  for (const auto& [column, value] : values) {
    if (!folder.empty()) folder += '/';
    std::string name = Escape(column) + '=';
    name += !value || value->empty() ? kNullFolder : Escape(*value);
    folder += name.size() <= kLongestFolderName ? name : Shorten(name, value.value_or(""));
  }
  return folder;
}

std::string NewDataFilePath(const PartitionValues& partition) {
  const std::string folder = PartitionFolder(partition);
  return folder + (folder.empty() ? "" : "/") + "part-" + NewUuid() + ".parquet";
}

std::string EncodeLogPath(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (const char c : path) {
    if (UriPathKeeps(c)) {
      out += c;
    } else {
      AppendEscaped(c, &out);
    }
  }
  return out;
}

std::string DecodeLogPath(std::string_view encoded) {
  std::string out;
  out.reserve(encoded.size());
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%' && i + 2 < encoded.size()) {
      const int high = HexDigit(encoded[i + 1]);
      const int low = HexDigit(encoded[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += encoded[i];
  }
  return out;
}

Result<std::shared_ptr<arrow::Scalar>> ParsePartitionValue(
    const std::optional<std::string>& text, const std::shared_ptr<arrow::DataType>& type) {
  if (!text || text->empty()) return arrow::MakeNullScalar(type);
  switch (type->id()) {
    case arrow::Type::STRING:
      return std::make_shared<arrow::StringScalar>(*text);
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::BOOL:
    case arrow::Type::DATE32:
      break;
    case arrow::Type::DECIMAL128:
      return ParseDecimal(*text, type);
    case arrow::Type::TIMESTAMP: {
      // Accepts "2025-10-24 01:02:03.4" and "2025-10-24T01:02:03.4Z"; both are UTC.
      std::string plain = *text;
      if (plain.ends_with('Z')) plain.pop_back();
      const auto unzoned = arrow::timestamp(arrow::TimeUnit::MICRO);
      ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::Scalar::Parse(unzoned, plain));
      return std::make_shared<arrow::TimestampScalar>(
          static_cast<const arrow::TimestampScalar&>(*scalar).value, type);
    }
    default:
      return Status::NotImplemented("partition columns of type ", type->ToString());
  }
  auto scalar = arrow::Scalar::Parse(type, *text);
  if (scalar.ok()) return scalar;
  return Status::Invalid("partition value '", *text, "' is not a valid ", type->ToString());
}

Result<std::optional<std::string>> FormatPartitionValue(const arrow::Scalar& value) {
  std::optional<std::string> text;
  if (!value.is_valid) return text;
  switch (value.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::BOOL:
    case arrow::Type::DATE32:
    case arrow::Type::DECIMAL128:
      text = value.ToString();
      break;
    case arrow::Type::TIMESTAMP: {
      const auto unzoned = arrow::timestamp(arrow::TimeUnit::MICRO);
      const auto micros = static_cast<const arrow::TimestampScalar&>(value).value;
      std::string iso = arrow::TimestampScalar(micros, unzoned).ToString();
      if (const size_t space = iso.find(' '); space != std::string::npos) iso[space] = 'T';
      text = iso + "Z";
      break;
    }
    default:
      return Status::NotImplemented("partition columns of type ", value.type->ToString());
  }
  if (text->empty()) text.reset();
  return text;
}

}  // namespace shopstream::lake
