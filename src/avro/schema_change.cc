#include "avro/schema_change.h"

#include <algorithm>
#include <set>
#include <utility>

#include "avro/node.h"
#include "avro/resolution.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

constexpr size_t kMostChanges = 200;

// Walks both trees side by side. A pair of records is visited once, so recursive types terminate,
// and only definitions nest, so the stack is bounded.
class Walker {
 public:
  std::vector<std::string> Walk(const Node& before, const Node& after) {
    Compare(before, after, "");
    return std::move(changes_);
  }

 private:
  void Say(const std::string& place, const std::string& what) {
    if (changes_.size() < kMostChanges) {
      changes_.push_back((place.empty() ? "the schema" : place) + ": " + what);
    }
  }

  void Compare(const Node& before, const Node& after, const std::string& place) {
    if (before.kind == Kind::kUnion || after.kind == Kind::kUnion) {
      return CompareUnions(before, after, place);
    }
    if (before.kind != after.kind || before.logical_type != after.logical_type) {
      return Say(place, "type " + Describe(before) + " became " + Describe(after));
    }
    if (before.is_named() && before.name != after.name) {
      Say(place,
          std::string(Name(before.kind)) + " " + before.name + " is now called " + after.name);
    }
    switch (before.kind) {
      case Kind::kRecord:
        return CompareRecords(before, after, place);
      case Kind::kEnum:
        return CompareEnums(before, after, place);
      case Kind::kArray:
      case Kind::kMap:
        return Compare(*before.items, *after.items,
                       place + (before.kind == Kind::kArray ? "[]" : "{}"));
      case Kind::kFixed:
        if (before.size == after.size) return;
        return Say(place, "fixed of " + std::to_string(before.size) + " bytes became one of " +
                              std::to_string(after.size));
      default:
        return;
    }
  }

  static std::vector<const Node*> Branches(const Node& type) {
    if (type.kind == Kind::kUnion) return type.branches;
    return {&type};
  }

  // Two branches are the same if they have the same kind and name.
  static const Node* FindBranch(const Node& wanted, const std::vector<const Node*>& among) {
    for (const Node* branch : among) {
      if (SameType(*branch, wanted)) return branch;
    }
    return nullptr;
  }

  void CompareUnions(const Node& before, const Node& after, const std::string& place) {
    const auto old_branches = Branches(before), new_branches = Branches(after);
    for (const Node* branch : old_branches) {
      if (FindBranch(*branch, new_branches) == nullptr) {
        Say(place, "may no longer be " + Describe(*branch));
      }
    }
    for (const Node* branch : new_branches) {
      const Node* same = FindBranch(*branch, old_branches);
      if (same == nullptr) {
        Say(place, "may now be " + Describe(*branch));
      } else {
        Compare(*same, *branch, place);
      }
    }
  }

  void CompareRecords(const Node& before, const Node& after, const std::string& place) {
    if (!seen_.insert({&before, &after}).second) return;
    const std::string prefix = place.empty() ? "" : place + ".";
    const Resolution& pair = tree_.Resolve(before, after);
    for (size_t i = 0; i < after.fields.size(); ++i) {
      const Field& field = after.fields[i];
      if (const Field* old_field = pair.fields[i].written) {
        CompareFields(*old_field, field, prefix + field.name);
        continue;
      }
      Say(prefix + field.name, "added, " + Describe(*field.type) +
                                   (field.default_value ? ", default " + Shown(*field.default_value)
                                                        : ", without a default"));
    }
    for (size_t i = 0; i < before.fields.size(); ++i) {
      if (pair.read_into[i] != Resolution::kSkipped) continue;
      const Field& field = before.fields[i];
      Say(prefix + field.name,
          std::string("removed; old readers ") +
              (field.default_value ? "see its default " + Shown(*field.default_value)
                                   : "have no default for it"));
    }
  }

  void CompareFields(const Field& before, const Field& after, const std::string& place) {
    if (before.name != after.name) Say(place, "was called " + before.name);
    if (before.default_value && !after.default_value) Say(place, "lost its default");
    if (!before.default_value && after.default_value) {
      Say(place, "got the default " + Shown(*after.default_value));
    }
    if (before.default_value && after.default_value &&
        *before.default_value != *after.default_value) {
      Say(place,
          "default " + Shown(*before.default_value) + " became " + Shown(*after.default_value));
    }
    Compare(*before.type, *after.type, place);
  }

  void CompareEnums(const Node& before, const Node& after, const std::string& place) {
    for (const std::string& symbol : before.symbols) {
      if (std::ranges::find(after.symbols, symbol) == after.symbols.end()) {
        Say(place, "symbol " + symbol + " removed");
      }
    }
    for (const std::string& symbol : after.symbols) {
      if (std::ranges::find(before.symbols, symbol) == before.symbols.end()) {
        Say(place, "symbol " + symbol + " added");
      }
    }
    if (before.default_symbol != after.default_symbol) {
      Say(place, "default " + before.default_symbol.value_or("(none)") + " became " +
                     after.default_symbol.value_or("(none)"));
    }
  }

  static std::string Shown(const nlohmann::json& value) { return DumpJson(value).substr(0, 60); }

  ResolvedTree tree_;
  std::set<std::pair<const Node*, const Node*>> seen_;
  std::vector<std::string> changes_;
};

nlohmann::ordered_json ToJson(const std::vector<Incompatibility>& reasons) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const auto& one : reasons) {
    out.push_back({{"rule", Name(one.rule)},
                   {"path", one.path},
                   {"message", one.message},
                   {"remedy", one.remedy}});
  }
  return out;
}

}  // namespace

SchemaChange CompareSchemas(const Schema& old_schema, const Schema& new_schema) {
  return {Walker().Walk(old_schema.root(), new_schema.root()),
          CheckCompatible(new_schema, old_schema), CheckCompatible(old_schema, new_schema)};
}

std::string UpgradeOrder(const SchemaChange& change) {
  const bool new_reads = change.to_new_reader.empty(), old_reads = change.to_old_reader.empty();
  if (new_reads && old_reads) {
    return "Readers and writers may be upgraded in any order (this is FULL compatibility).";
  }
  if (new_reads) {
    return "Upgrade all readers first, then writers: old readers cannot read new data (this is "
           "BACKWARD compatibility).";
  }
  if (old_reads) {
    return "Upgrade all writers first, and readers once no old data is left to read: new readers "
           "cannot read it (this is FORWARD compatibility).";
  }
  return "No order works: neither side reads the other's data. Write to another topic, or change "
         "the schema in steps.";
}

nlohmann::ordered_json ToJson(const SchemaChange& change) {
  return {{"changes", change.changes},
          {"new_readers_read_old_data", change.to_new_reader.empty()},
          {"old_readers_read_new_data", change.to_old_reader.empty()},
          {"to_new_readers", ToJson(change.to_new_reader)},
          {"to_old_readers", ToJson(change.to_old_reader)},
          {"order", UpgradeOrder(change)}};
}

}  // namespace shopstream::avro
