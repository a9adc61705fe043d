#pragma once
// For tests and fuzzers only: schemas of every type and values of them, drawn from any source of
// numbers.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "avro/binary.h"
#include "avro/node.h"

namespace shopstream::avro {

using Draw = std::function<uint64_t(uint64_t below)>;

// The JSON of a record whose types nest at most `depth` deep.
class RandomSchema {
 public:
  explicit RandomSchema(Draw draw) : draw_(std::move(draw)) {}

  std::string Record(int depth) {
    std::string fields;
    for (uint64_t i = draw_(6); i > 0; --i) {
      fields += (fields.empty() ? "" : ",") + ("{\"name\":\"" + Fresh("f") + "\",\"type\":") +
                Type(depth - 1) + "}";
    }
    return "{\"type\":\"record\",\"name\":\"" + Fresh("R") + "\",\"fields\":[" + fields + "]}";
  }

 private:
  std::string Fresh(const char* prefix) { return prefix + std::to_string(names_++); }

  std::string Primitive() {
    static const std::vector<std::string> kNames = {"null",  "boolean", "int",   "long",
                                                    "float", "double",  "bytes", "string"};
    return "\"" + kNames[draw_(kNames.size())] + "\"";
  }

  std::string Logical() {
    static const std::vector<std::string> kTypes = {
        R"("int","logicalType":"date")",
        R"("int","logicalType":"time-millis")",
        R"("long","logicalType":"time-micros")",
        R"("long","logicalType":"timestamp-millis")",
        R"("long","logicalType":"timestamp-micros")",
        R"("long","logicalType":"timestamp-nanos")",
        R"("long","logicalType":"local-timestamp-micros")",
        R"("string","logicalType":"uuid")",
        R"("bytes","logicalType":"decimal","precision":5,"scale":2)",
        R"("bytes","logicalType":"decimal","precision":38,"scale":38)",
        R"("bytes","logicalType":"decimal","precision":60,"scale":7)"};
    return "{\"type\":" + kTypes[draw_(kTypes.size())] + "}";
  }

  std::string Fixed() {
    static const std::vector<std::string> kSizes = {
        "0",
        "5",
        R"(12,"logicalType":"duration")",
        R"(16,"logicalType":"uuid")",
        R"(18,"logicalType":"decimal","precision":38,"scale":3)",
        R"(30,"logicalType":"decimal","precision":50,"scale":0)"};
    return "{\"type\":\"fixed\",\"name\":\"" + Fresh("F") +
           "\",\"size\":" + kSizes[draw_(kSizes.size())] + "}";
  }

  std::string Enum() {
    std::string symbols;
    for (uint64_t i = draw_(4) + 1; i > 0; --i) {
      symbols += (symbols.empty() ? "\"" : ",\"") + Fresh("S") + "\"";
    }
    return "{\"type\":\"enum\",\"name\":\"" + Fresh("E") + "\",\"symbols\":[" + symbols + "]}";
  }

  // A union of any number of repeatable types, with null or one primitive.
  std::string Union(int depth) {
    std::string branches = draw_(2) == 0 ? "\"null\"" : Primitive();
    for (uint64_t i = draw_(4); i > 0; --i) {
      const uint64_t which = draw_(3);
      const std::string branch = which == 0 ? Fixed() : which == 1 ? Enum() : Record(depth);
      branches = draw_(2) == 0 ? branches + "," + branch : branch + "," + branches;
    }
    return "[" + branches + "]";
  }

  std::string Type(int depth) {
    switch (draw_(depth > 0 ? 10 : 5)) {
      case 0:
        return Logical();
      case 1:
        return draw_(2) == 0 ? Fixed() : Enum();
      case 2:
        return draw_(2) == 0 ? "[\"null\"," + Logical() + "]" : "[\"string\",\"null\"]";
      case 5:
        return Record(depth);
      case 6:
        return "{\"type\":\"array\",\"items\":" + Type(depth - 1) + "}";
      case 7:
        return "{\"type\":\"map\",\"values\":" + Type(depth - 1) + "}";
      case 8:
      case 9:
        return Union(depth - 1);
      default:
        return Primitive();
    }
  }

  Draw draw_;
  int names_ = 0;
};

// Values in Avro's binary encoding.
class RandomValue {
 public:
  explicit RandomValue(Draw draw) : draw_(std::move(draw)) {}

  std::vector<uint8_t> Encode(const Node& type) {
    out_.clear();
    Value(type);
    return out_;
  }

 private:
  void Long(int64_t value) {
    uint8_t bytes[kMaxLongBytes];
    out_.insert(out_.end(), bytes, PutVarint(ZigZag(value), bytes));
  }

  void Raw(uint64_t bits, int bytes) {
    for (int i = 0; i < bytes; ++i) out_.push_back(static_cast<uint8_t>(bits >> (8 * i)));
  }

  // Covers every length of varint.
  int64_t Integer(uint64_t bits) {
    const auto value = static_cast<int64_t>(draw_(uint64_t{1} << draw_(bits)));
    return draw_(2) == 0 ? value : -1 - value;
  }

  // For calendar types, the nearest value within the years 0001 to 9999.
  static int64_t Dated(const Node& type, int64_t value) {
    constexpr int64_t kFirstDay = -719'162;
    constexpr int64_t kDayAfter = 2'932'897;
    int64_t units = 0;  // Per day.
    if (type.logical_type == "date") units = 1;
    if (type.logical_type == "timestamp-millis") units = 86'400'000;
    if (type.logical_type == "timestamp-micros") units = 86'400'000'000;
    if (units == 0) return value;
    return std::clamp(value, kFirstDay * units, kDayAfter * units - 1);
  }

  void Text(const Node& type) {
    static const std::vector<std::string> kPieces = {"a", "brioche ", "é", "日本", "🛒", "\t\""};
    std::string text;
    for (uint64_t i = draw_(9); i > 0; --i) {
      text += type.kind == Kind::kString ? kPieces[draw_(kPieces.size())]
                                         : std::string(1, static_cast<char>(draw_(256)));
    }
    Long(static_cast<int64_t>(text.size()));
    out_.insert(out_.end(), text.begin(), text.end());
  }

  // At most two digits, sign-extended to the size of a fixed.
  void Decimal(const Node& type) {
    const auto value = static_cast<int64_t>(draw_(199)) - 99;
    const int64_t size = type.kind == Kind::kFixed ? type.size : 1;
    if (type.kind == Kind::kBytes) Long(size);
    for (int64_t i = 1; i < size; ++i) out_.push_back(value < 0 ? 0xFF : 0);
    out_.push_back(static_cast<uint8_t>(value));
  }

  // Several blocks; keys are numbered, because a map has each key once.
  void Items(const Node& type) {
    int key = 0;
    for (uint64_t blocks = draw_(3); blocks > 0; --blocks) {
      const uint64_t count = draw_(4) + 1;
      Long(static_cast<int64_t>(count));
      for (uint64_t i = 0; i < count; ++i) {
        const std::string text = "k" + std::to_string(key++);
        if (type.kind == Kind::kMap) {
          Long(static_cast<int64_t>(text.size()));
          out_.insert(out_.end(), text.begin(), text.end());
        }
        Value(*type.items);
      }
    }
    Long(0);
  }

  void Union(const Node& type) {
    const uint64_t branch = draw_(type.branches.size());
    Long(static_cast<int64_t>(branch));
    Value(*type.branches[branch]);
  }

  void Value(const Node& type) {
    if (type.logical_type == "decimal") return Decimal(type);
    switch (type.kind) {
      case Kind::kNull:
        return;
      case Kind::kBoolean:
        return out_.push_back(static_cast<uint8_t>(draw_(2)));
      case Kind::kInt:
        return Long(Dated(type, Integer(32)));
      case Kind::kLong:
        return Long(Dated(type, Integer(64)));
      case Kind::kFloat:
        return Raw(std::bit_cast<uint32_t>(static_cast<float>(Integer(32)) / 8), 4);
      case Kind::kDouble:
        return Raw(std::bit_cast<uint64_t>(static_cast<double>(Integer(50)) / 8), 8);
      case Kind::kBytes:
      case Kind::kString:
        return Text(type);
      case Kind::kFixed:
        for (int64_t i = 0; i < type.size; ++i) out_.push_back(static_cast<uint8_t>(draw_(256)));
        return;
      case Kind::kEnum:
        return Long(static_cast<int64_t>(draw_(type.symbols.size())));
      case Kind::kRecord:
        for (const Field& field : type.fields) Value(*field.type);
        return;
      case Kind::kArray:
      case Kind::kMap:
        return Items(type);
      case Kind::kUnion:
        return Union(type);
    }
  }

  Draw draw_;
  std::vector<uint8_t> out_;
};

}  // namespace shopstream::avro
