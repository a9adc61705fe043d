#include "avro/schema.h"

#include <set>
#include <utility>

#include "avro/node.h"
#include "avro/schema_parser.h"

namespace shopstream::avro {
namespace {

// Writes a schema in "Parsing Canonical Form": full names, only the attributes a reader needs, in
// the order name, type, fields, symbols, items, values, size. Names need no escapes.
class CanonicalWriter {
 public:
  std::string Write(const Node& root) {
    Type(root);
    return std::move(out_);
  }

 private:
  void Quoted(std::string_view text) { out_.append("\"").append(text).append("\""); }

  void Type(const Node& node) {
    if (node.is_named() && !defined_.insert(node.name).second) return Quoted(node.name);
    switch (node.kind) {
      case Kind::kRecord:
        return Record(node);
      case Kind::kEnum:
        return Enum(node);
      case Kind::kFixed:
        Head(node);
        out_.append(",\"size\":").append(std::to_string(node.size)).append("}");
        return;
      case Kind::kArray:
        out_.append("{\"type\":\"array\",\"items\":");
        Type(*node.items);
        out_.append("}");
        return;
      case Kind::kMap:
        out_.append("{\"type\":\"map\",\"values\":");
        Type(*node.items);
        out_.append("}");
        return;
      case Kind::kUnion:
        List(node.branches, [&](const Node* branch) { Type(*branch); });
        return;
      default:
        Quoted(Name(node.kind));
    }
  }

  void Head(const Node& node) {
    out_.append("{\"name\":");
    Quoted(node.name);
    out_.append(",\"type\":");
    Quoted(Name(node.kind));
  }

  void Record(const Node& node) {
    Head(node);
    out_.append(",\"fields\":");
    List(node.fields, [&](const Field& field) {
      out_.append("{\"name\":");
      Quoted(field.name);
      out_.append(",\"type\":");
      Type(*field.type);
      out_.append("}");
    });
    out_.append("}");
  }

  void Enum(const Node& node) {
    Head(node);
    out_.append(",\"symbols\":");
    List(node.symbols, [&](const std::string& symbol) { Quoted(symbol); });
    out_.append("}");
  }

  template <typename Items, typename WriteItem>
  void List(const Items& items, WriteItem write_item) {
    out_.append("[");
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out_.append(",");
      write_item(item);
    }
    out_.append("]");
  }

  std::string out_;
  std::set<std::string> defined_;
};

}  // namespace

Result<Schema> Schema::Parse(std::string_view json, const ParseOptions& options) {
  Schema schema;
  ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<const NodeTree> tree, ParseSchema(json, options));
  schema.root_ = std::shared_ptr<const Node>(tree, tree->root);
  schema.text_ = json;
  return schema;
}

Result<Schema> Schema::ParseKept(std::string_view json) {
  return Parse(json, {.validate_defaults = false, .accept_wrapped_types = true});
}

std::string Schema::CanonicalForm() const { return CanonicalWriter().Write(*root_); }

}  // namespace shopstream::avro
