#include "avro/node.h"

#include <algorithm>
#include <array>

namespace shopstream::avro {
namespace {

constexpr std::array<const char*, 14> kKindNames = {
    "null",   "boolean", "int",  "long",  "float", "double", "bytes",
    "string", "record",  "enum", "array", "map",   "union",  "fixed"};
constexpr auto kPrimitives = static_cast<size_t>(Kind::kString) + 1;

}  // namespace

const char* Name(Kind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::optional<Kind> PrimitiveKind(std::string_view name) {
  const auto end = kKindNames.begin() + kPrimitives;
  const auto found = std::find(kKindNames.begin(), end, name);
  if (found == end) return std::nullopt;
  return static_cast<Kind>(found - kKindNames.begin());
}

std::string_view ShortName(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? full_name : full_name.substr(dot + 1);
}

std::string NamespaceOf(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? "" : std::string(full_name.substr(0, dot));
}

std::string Qualify(std::string_view name, std::string_view space) {
  if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
  return std::string(space) + "." + std::string(name);
}

std::string Describe(const Node& node) {
  std::string text = Name(node.kind);
  if (node.is_named()) text += " " + node.name;
  if (!node.logical_type.empty()) text += " (" + node.logical_type + ")";
  if (node.kind != Kind::kUnion) return text;
  text += " of";
  for (const Node* branch : node.branches) {
    text += branch == node.branches.front() ? " " : ", ";
    text += branch->is_named() ? branch->name : Name(branch->kind);
  }
  return text;
}

std::string ExplainStrayLogicalType(const Field& field) {
  const std::string ignored = "is beside \"type\", where Avro ignores it: ";
  const Node* value = field.type;
  std::string before, after;
  if (value->kind == Kind::kUnion) {
    const std::vector<const Node*>& branches = value->branches;
    const auto is_null = [](const Node* branch) { return branch->kind == Kind::kNull; };
    const auto found = std::find_if_not(branches.begin(), branches.end(), is_null);
    value = nullptr;
    if (found != branches.end() && branches.size() <= 2) value = *found;
    if (branches.size() == 2) (found == branches.begin() ? after : before) = "\"null\"";
    if (branches.size() == 2 && !is_null(branches[0]) && !is_null(branches[1])) value = nullptr;
    before = "[" + before + (before.empty() ? "" : ", ");
    after = (after.empty() ? "" : ", ") + after + "]";
  }
  if (value == nullptr || !PrimitiveKind(Name(value->kind))) {
    return ignored + "move it into the definition of the type it belongs to";
  }
  return ignored + "write \"type\": " + before + "{\"type\": \"" + Name(value->kind) +
         "\", \"logicalType\": \"" + field.stray_logical_type + "\"}" + after;
}

}  // namespace shopstream::avro
