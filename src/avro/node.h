#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream::avro {

enum class Kind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed,
};

// "record", "long" and so on, as in the specification.
const char* Name(Kind kind);
// The primitive with that name, or nothing.
std::optional<Kind> PrimitiveKind(std::string_view name);

struct Node;

struct Field {
  std::string name;
  std::vector<std::string> aliases;
  const Node* type = nullptr;
  // Null: none. As written, so that a float's or double's may be the text of a number.
  std::shared_ptr<const nlohmann::json> default_value;
  // Whether it is a value of the type, which readers can take. Avro's Java library accepts more:
  // any text for an enum, fixed or bytes, and, in schemas that registries store, anything.
  bool default_valid = false;
  // A logicalType that is beside "type" instead of within it, where Avro ignores it. Only for
  // messages; empty: none.
  std::string stray_logical_type;
};

// One type. Several places may point to a named type's node, so the tree may have cycles; only
// definitions nest, at most Schema::kMaxDepth deep. Owned by its Schema.
struct Node {
  Kind kind = Kind::kNull;
  // As given, if it applies to this kind of type; otherwise it is ignored, as the specification
  // requires. Empty: none.
  std::string logical_type;
  int32_t precision = 0;  // Decimal.
  int32_t scale = 0;      // Decimal.

  std::string name;                           // Record, enum, fixed: the full name.
  std::vector<std::string> aliases;           // Record, enum, fixed: full names.
  std::vector<Field> fields;                  // Record.
  std::vector<std::string> symbols;           // Enum.
  std::optional<std::string> default_symbol;  // Enum.
  const Node* items = nullptr;                // Array: items; map: values.
  std::vector<const Node*> branches;          // Union: not nested, no duplicates; may be none.
  int64_t size = 0;                           // Fixed, in bytes.

  bool is_named() const {
    return kind == Kind::kRecord || kind == Kind::kEnum || kind == Kind::kFixed;
  }
};

// The parts of a full name; the namespace may be empty.
std::string_view ShortName(std::string_view full_name);
std::string NamespaceOf(std::string_view full_name);
// The full name that `name` means within a namespace.
std::string Qualify(std::string_view name, std::string_view space);

// The type in messages: "long (timestamp-millis)", "record com.shop.Order".
std::string Describe(const Node& node);

// For a field with a stray_logical_type: `is beside "type", where Avro ignores it: write "type":
// {"type": "long", "logicalType": "timestamp-millis"}`. A union keeps its other branches; if it has
// several, or the type is not primitive, the place is described instead.
std::string ExplainStrayLogicalType(const Field& field);

}  // namespace shopstream::avro
