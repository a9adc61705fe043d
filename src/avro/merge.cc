#include "avro/merge.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/compatibility.h"
#include "avro/node.h"
#include "avro/resolution.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;
using Types = std::vector<const Node*>;
using NamedTypes = std::map<std::string, const Node*>;

void CollectNamed(const Node& node, NamedTypes* named) {
  if (node.is_named() && !named->emplace(node.name, &node).second) return;
  if (node.items != nullptr) CollectNamed(*node.items, named);
  for (const Node* branch : node.branches) CollectNamed(*branch, named);
  for (const Field& field : node.fields) CollectNamed(*field.type, named);
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsNull(const Node* type) { return type->kind == Kind::kNull; }

// The writer's values fit a column of the reader's type too, so the reader's type may widen.
bool Widens(const Node& reader, const Node& writer) {
  return (reader.kind == Kind::kInt && writer.kind == Kind::kLong && reader.logical_type.empty()) ||
         (reader.kind == Kind::kFloat && writer.kind == Kind::kDouble);
}

Types BranchesOf(const Node& node) {
  return node.kind == Kind::kUnion ? node.branches : Types{&node};
}

// The branch of `own`, the reader's branches, that takes the values of a writer's branch: the one
// in the tree, unless they would be promoted and an earlier one can be widened.
std::optional<size_t> FindSlot(const Resolution& pair, const Types& own) {
  const bool fits = pair.broken != ResolutionRule::kMissingUnionBranch &&
                    pair.broken != ResolutionRule::kTypeMismatch &&
                    pair.broken != ResolutionRule::kNameMismatch;
  const auto chosen = fits ? std::optional(pair.branch) : std::nullopt;
  if (chosen && own[*chosen]->kind == pair.writer->kind) return chosen;
  const auto wider =
      std::ranges::find_if(own, [&](const Node* branch) { return Widens(*branch, *pair.writer); });
  if (wider == own.end()) return chosen;
  const size_t number = wider - own.begin();
  return chosen ? std::min(*chosen, number) : number;
}

constexpr size_t kMostPairs = 1'000'000;

// The writer's types that are read as each named type of the reader, wherever they occur: a name
// means one type in the whole document, so its definition must cover them all.
class Partners {
 public:
  Partners(const Node& reader, const Node* writer, ResolvedTree* tree) : tree_(tree) {
    CollectNamed(reader, &named_);
    if (writer != nullptr) waiting_.push_back({writer, &reader});
    while (!waiting_.empty() && !too_many()) {
      const auto [written, read] = waiting_.back();
      waiting_.pop_back();
      if (read == nullptr) {
        MeetOnlyWriter(*written);
      } else {
        MeetPlace(*written, *read);
      }
    }
  }

  const Types& Of(const Node& named) const {
    static const Types kNone;
    const auto found = partners_.find(&named);
    return found == partners_.end() ? kNone : found->second;
  }
  // The reader's type with that full name, or null.
  const Node* Named(const std::string& name) const {
    const auto found = named_.find(name);
    return found == named_.end() ? nullptr : found->second;
  }
  bool too_many() const { return met_.size() > kMostPairs; }

 private:
  void MeetPlace(const Node& writer, const Node& reader) {
    if (writer.kind != Kind::kUnion && reader.kind != Kind::kUnion) return Meet(writer, reader);
    const Types own = BranchesOf(reader);
    for (const Node* branch : BranchesOf(writer)) {
      const auto slot = FindSlot(tree_->Resolve(*branch, reader), own);
      if (slot) {
        Meet(*branch, *own[*slot]);
      } else {
        MeetOnlyWriter(*branch);
      }
    }
  }

  // Neither is a union.
  void Meet(const Node& writer, const Node& reader) {
    if (writer.kind != reader.kind || !met_.insert({&writer, &reader}).second) return;
    if (reader.is_named()) partners_[&reader].push_back(&writer);
    if (reader.items != nullptr) waiting_.push_back({writer.items, reader.items});
    if (reader.kind != Kind::kRecord) return;
    const Resolution& pair = tree_->Resolve(writer, reader);
    for (size_t i = 0; i < writer.fields.size(); ++i) {
      const size_t number = pair.read_into[i];
      const bool skipped = number == Resolution::kSkipped;
      waiting_.push_back({writer.fields[i].type, skipped ? nullptr : reader.fields[number].type});
    }
  }

  // A type that occurs only in the writer.
  void MeetOnlyWriter(const Node& writer) {
    if (writer.is_named()) {
      const Node* same = Named(writer.name);
      if (same != nullptr && same->kind == writer.kind) return Meet(writer, *same);
    }
    if (!met_.insert({&writer, nullptr}).second) return;
    for (const Node* branch : writer.branches) waiting_.push_back({branch, nullptr});
    if (writer.items != nullptr) waiting_.push_back({writer.items, nullptr});
    for (const Field& field : writer.fields) waiting_.push_back({field.type, nullptr});
  }

  using Pair = std::pair<const Node*, const Node*>;  // Writer and reader; null: only the writer.

  ResolvedTree* const tree_;
  NamedTypes named_;
  std::map<const Node*, Types> partners_;
  std::vector<Pair> waiting_;
  std::set<Pair> met_;
};

bool StartsWithNull(const json& type) {
  return type == "null" || (type.is_array() && !type.empty() && type.front() == "null");
}

// The type with null as its first branch.
json Optional(json type) {
  if (!type.is_array()) return type == "null" ? type : json::array({"null", std::move(type)});
  json branches = json::array({"null"});
  for (json& branch : type) {
    if (branch != "null") branches.push_back(std::move(branch));
  }
  return branches;
}

// Builds the merged schema's JSON from the resolved tree; without a writer, the reader's own. Each
// place has the reader's type and the writer's types that are read into it.
class Merger {
 public:
  Merger(const Node& reader, const Node* writer, ResolvedTree* tree)
      : reader_(reader), writer_(writer), tree_(tree), partners_(reader, writer, tree) {}

  json Merge() {
    if (partners_.too_many()) conflicts_ = "the two schemas are too large to be merged";
    if (!conflicts_.empty()) return nullptr;
    return Place(reader_, writer_ == nullptr ? Types{} : Types{writer_}, "");
  }

  const std::string& conflicts() const { return conflicts_; }

 private:
  json Place(const Node& reader, const Types& writers, const std::string& path) {
    const auto is_union = [](const Node* type) { return type->kind == Kind::kUnion; };
    if (is_union(&reader) || std::ranges::any_of(writers, is_union)) {
      return Union(reader, writers, path);
    }
    return Plain(reader, writers, path);
  }

  // No type is a union.
  json Plain(const Node& reader, const Types& writers, const std::string& path) {
    const Node* widest = &reader;
    Types items;
    for (const Node* writer : writers) {
      if (tree_->Resolve(*writer, reader).changes_meaning) Conflict(reader, *writer, path);
      if (Widens(*widest, *writer)) widest = writer;
      if (writer->kind == reader.kind && writer->items != nullptr) items.push_back(writer->items);
    }
    if (reader.is_named()) return Named(reader, path);
    // A widening column has no logical type and gets none: its values keep their meaning.
    if (widest != &reader) return Name(widest->kind);
    if (reader.items == nullptr) return WithLogicalType(reader, Name(reader.kind));
    const char* const key = reader.kind == Kind::kArray ? "items" : "values";
    return {{"type", Name(reader.kind)}, {key, Place(*reader.items, items, path + "/" + key)}};
  }

  json Union(const Node& reader, const Types& writers, const std::string& path) {
    const Types own = BranchesOf(reader);
    std::vector<Types> slots(own.size());
    Types unmatched;
    for (const Node* writer : writers) {
      for (const Node* branch : BranchesOf(*writer)) {
        const auto slot = FindSlot(tree_->Resolve(*branch, reader), own);
        (slot ? slots[*slot] : unmatched).push_back(branch);
      }
    }
    json branches = json::array();
    for (size_t i = 0; i < own.size(); ++i) {
      const std::string place = reader.kind == Kind::kUnion ? path + "/" + std::to_string(i) : path;
      branches.push_back(Plain(*own[i], slots[i], place));
    }
    // One type is one column, several are a struct; a column never turns into a struct.
    const bool several = own.size() - std::ranges::count_if(own, IsNull) > 1;
    Types added;
    for (const Node* branch : unmatched) {
      // A second type of the same kind merges with the first once that is in the reader.
      const auto same = [&](const Node* other) { return SameType(*branch, *other); };
      if (std::ranges::any_of(added, same)) continue;
      added.push_back(branch);
      if (IsNull(branch)) branches = Optional(std::move(branches));
      if (!IsNull(branch) && several) branches.push_back(OnlyWriter(*branch, path));
      if (!IsNull(branch) && !several) Conflict(reader, *branch, path);
    }
    return branches.size() == 1 && reader.kind != Kind::kUnion ? branches.front() : branches;
  }

  // A type that only the writer has, unchanged.
  json OnlyWriter(const Node& writer, const std::string& path) {
    if (writer.is_named()) return OnlyWriterNamed(writer, path);
    if (writer.kind == Kind::kUnion) {
      json branches = json::array();
      for (const Node* branch : writer.branches) branches.push_back(OnlyWriter(*branch, path));
      return branches;
    }
    if (writer.items == nullptr) return WithLogicalType(writer, Name(writer.kind));
    const char* const key = writer.kind == Kind::kArray ? "items" : "values";
    return {{"type", Name(writer.kind)}, {key, OnlyWriter(*writer.items, path + "/" + key)}};
  }

  json OnlyWriterNamed(const Node& writer, const std::string& path) {
    if (const Node* same = partners_.Named(writer.name)) {
      if (same->kind != writer.kind) Conflict(*same, writer, path);
      return Named(*same, path);
    }
    if (!defined_.insert(writer.name).second) return writer.name;
    return Nested(path, [&] { return OnlyWriterDefinition(writer, path); });
  }

  json OnlyWriterDefinition(const Node& writer, const std::string& path) {
    json type = HeadOf(writer);
    if (writer.kind == Kind::kEnum) type["symbols"] = writer.symbols;
    if (writer.kind == Kind::kRecord) {
      json fields = json::array();
      for (const Field& field : writer.fields) {
        const std::string place = path + "/fields/" + std::to_string(fields.size()) + "/type";
        fields.push_back(FieldOf(field, OnlyWriter(*field.type, place)));
      }
      type["fields"] = std::move(fields);
    }
    if (!writer.aliases.empty()) type["aliases"] = writer.aliases;
    return WithLogicalType(writer, std::move(type));
  }

  // The definition, at its first place, holds everything that the two sides know of the type.
  json Named(const Node& reader, const std::string& path) {
    if (!defined_.insert(reader.name).second) return reader.name;
    return Nested(path, [&] { return Definition(reader, path); });
  }

  json Definition(const Node& reader, const std::string& path) {
    json type = HeadOf(reader);
    if (reader.kind == Kind::kEnum) type["symbols"] = Symbols(reader);
    if (reader.kind == Kind::kRecord) type["fields"] = Fields(reader, path);
    std::vector<std::string> aliases = reader.aliases;
    for (const Node* writer : partners_.Of(reader)) {
      const bool renamed = writer->name != reader.name && Contains(writer->aliases, reader.name);
      if (renamed && !Contains(aliases, writer->name)) aliases.push_back(writer->name);
    }
    if (!aliases.empty()) type["aliases"] = aliases;
    return WithLogicalType(reader, std::move(type));
  }

  // In the merged document a definition may occur earlier than in the two, and nest deeper.
  template <typename MakeType>
  json Nested(const std::string& path, MakeType make_type) {
    if (nested_ == Schema::kMaxDepth) {
      Conflict("types would nest more than " + std::to_string(Schema::kMaxDepth) + " deep", path);
      return nullptr;
    }
    ++nested_;
    json type = make_type();
    --nested_;
    return type;
  }

  static json HeadOf(const Node& node) {
    json type = {{"type", Name(node.kind)}, {"name", node.name}};
    if (node.kind == Kind::kFixed) type["size"] = node.size;
    if (node.kind == Kind::kEnum && node.default_symbol) type["default"] = *node.default_symbol;
    return type;
  }

  static json WithLogicalType(const Node& node, json type) {
    if (node.logical_type.empty()) return type;
    if (!type.is_object()) type = {{"type", std::move(type)}};
    type["logicalType"] = node.logical_type;
    if (node.logical_type == "decimal") {
      type["precision"] = node.precision;
      type["scale"] = node.scale;
    }
    return type;
  }

  json Symbols(const Node& reader) {
    std::vector<std::string> symbols = reader.symbols;
    std::set<std::string> known(symbols.begin(), symbols.end());
    for (const Node* writer : partners_.Of(reader)) {
      for (const std::string& symbol : writer->symbols) {
        if (known.insert(symbol).second) symbols.push_back(symbol);
      }
    }
    return symbols;
  }

  json Fields(const Node& reader, const std::string& path) {
    const Types& partners = partners_.Of(reader);
    json fields = json::array();
    const auto place = [&] { return path + "/fields/" + std::to_string(fields.size()) + "/type"; };
    std::set<std::string> names;
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      const Field& field = reader.fields[i];
      names.insert(field.name);
      Types written;
      for (const Node* writer : partners) {
        const Field* found = tree_->Resolve(*writer, reader).fields[i].written;
        if (found != nullptr) written.push_back(found->type);
      }
      json type = Place(*field.type, written, place());
      const bool absent = written.size() < partners.size();
      fields.push_back(FieldOf(field, absent ? Optional(std::move(type)) : std::move(type)));
      if (!field.aliases.empty()) fields.back()["aliases"] = field.aliases;
    }
    for (const Node* writer : partners) {
      const std::vector<size_t>& read_into = tree_->Resolve(*writer, reader).read_into;
      for (size_t i = 0; i < read_into.size(); ++i) {
        const Field& field = writer->fields[i];
        if (read_into[i] != Resolution::kSkipped || !names.insert(field.name).second) continue;
        fields.push_back(FieldOf(field, Optional(OnlyWriter(*field.type, place()))));
      }
    }
    return fields;
  }

  static json FieldOf(const Field& field, json type) {
    json merged = {{"name", field.name}, {"type", std::move(type)}};
    if (StartsWithNull(merged["type"])) {
      merged["default"] = nullptr;
    } else if (field.default_value) {
      merged["default"] = *field.default_value;
    }
    return merged;
  }

  void Conflict(const Node& reader, const Node& writer, const std::string& path) {
    const auto describe = [](const Node& node) {
      const std::string text = Describe(node);
      if (node.logical_type != "decimal") return text;
      return text + " of precision " + std::to_string(node.precision) + " and scale " +
             std::to_string(node.scale);
    };
    Conflict("the table's " + describe(reader) + " cannot hold the writer's " + describe(writer) +
                 " (keep the type, or one that it is promoted to, or add a new field)",
             path);
  }

  void Conflict(const std::string& why, const std::string& path) {
    conflicts_ += (conflicts_.empty() ? "" : "; ") + std::string("TYPE_MISMATCH at ") + path + ": ";
    conflicts_ += why;
  }

  const Node& reader_;
  const Node* const writer_;
  ResolvedTree* const tree_;
  const Partners partners_;
  std::set<std::string> defined_;
  int nested_ = 0;  // Enclosing definitions.
  std::string conflicts_;
};

std::string Reasons(const std::vector<Incompatibility>& found) {
  std::string reasons;
  for (const Incompatibility& reason : found) {
    reasons += (reasons.empty() ? "" : "; ") + std::string(Name(reason.rule)) + " at " +
               (reason.path.empty() ? "the root" : reason.path) + ": " + reason.message + " (" +
               reason.remedy + ")";
  }
  return reasons;
}

// Several types of the writer may be read as one type of the reader. What they share and the reader
// lacks is added for the first; the next round merges the others with the result.
constexpr int kMostRounds = 16;

}  // namespace

Result<Schema> MergeSchemas(const Schema& reader, const Schema& writer) {
  Schema table = reader;
  for (int round = 0; round < kMostRounds; ++round) {
    ResolvedTree tree;
    Merger merger(table.root(), &writer.root(), &tree);
    const json merged = merger.Merge();
    if (!merger.conflicts().empty()) return Status::Invalid(merger.conflicts());
    if (merged != Merger(table.root(), nullptr, &tree).Merge()) {
      ARROW_ASSIGN_OR_RAISE(table, Schema::ParseKept(merged.dump()));
      continue;
    }
    std::string reasons = Reasons(CheckReadable(table, writer, &tree));
    if (reasons.empty() && round > 0) reasons = Reasons(CheckReadable(table, reader));
    if (!reasons.empty()) return Status::Invalid(reasons);
    return table;
  }
  return Status::Invalid(
      "the writer's types that are read as one type of the table differ in more than ", kMostRounds,
      " places; give them names of their own");
}

}  // namespace shopstream::avro
