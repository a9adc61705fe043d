#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "avro/node.h"
#include "avro/resolution_rule.h"

namespace shopstream::avro {

// "Schema Resolution" (Avro 1.12): how a value written as one type is read as another. All its
// rules are here: the decoder compiles from these decisions, the compatibility check reports them,
// and the merge of two schemas walks them.

enum class ResolutionForm : uint8_t {
  kWriterUnion,  // Each of the writer's branches is read as the reader's whole type.
  kReaderUnion,  // The value is read as one branch of the reader's union.
  kRecord,       // Field by field.
  kItems,        // Of an array or a map: its items are read as the reader's items.
  kValue,        // In one step: a primitive, an enum, a fixed, or types that do not fit.
};

// The source of one field of the reader's record.
struct FieldResolution {
  // Null: the writer has no such field, and it takes its default. Each field of the writer is read
  // into one field of the reader: the one of its name, otherwise the first with an alias for it.
  const Field* written = nullptr;
  // All fields of the writer that match its name or its aliases, in that order. Avro's Java library
  // refuses several, and does not notice if one is used for two of the reader's fields.
  std::vector<const Field*> named;
  bool lacks_default = false;  // Nothing is written, and nothing else can be read.
};

// How a value of type `writer` is read as `reader`: one node of the resolved tree. The types inside
// are pairs that the tree resolves in turn.
struct Resolution {
  const Node* writer = nullptr;
  const Node* reader = nullptr;
  ResolutionForm form = ResolutionForm::kValue;
  // The rule that forbids this pair; the types inside have their own. A record with kNameMismatch
  // is resolved regardless.
  std::optional<ResolutionRule> broken;
  // Both have a logical type, and the reader's would change the value's meaning. The specification
  // allows it; a column does not.
  bool changes_meaning = false;
  // kReaderUnion, unless kMissingUnionBranch: the number of the branch.
  size_t branch = 0;
  // kRecord: the source of each field of the reader; and for each field of the writer the number of
  // the reader's field that it is read into, kSkipped if there is none.
  std::vector<FieldResolution> fields;
  std::vector<size_t> read_into;
  // Enums: what each of the writer's symbols is read as; null: the reader lacks it, and has no
  // default.
  std::vector<const std::string*> symbols;

  static constexpr size_t kSkipped = SIZE_MAX;

  const Node& chosen() const { return *reader->branches[branch]; }
  // A value can be read, as far as this pair determines.
  bool fits() const { return !broken && !changes_meaning; }
};

// The resolved tree of a pair of schemas, whose nodes outlive it. Each pair is resolved once, when
// first requested, in time linear in the size of the two types without their nested types; so
// recursive schemas need no special care, and a walk pays only for what it visits. Not thread-safe.
class ResolvedTree {
 public:
  // Stays valid as long as the tree.
  const Resolution& Resolve(const Node& writer, const Node& reader);

 private:
  using Pair = std::pair<const Node*, const Node*>;
  struct HashPair {
    size_t operator()(const Pair& pair) const {
      const std::hash<const Node*> hash;
      return hash(pair.first) * 0x9E3779B97F4A7C15 + hash(pair.second);
    }
  };

  std::unordered_map<Pair, Resolution, HashPair> pairs_;
};

// "int is promotable to long, float or double" and so on. False for equal kinds.
bool Promotes(Kind writer, Kind reader);

// The specification's shallow test "schemas match", which Avro's Java library uses to find the
// intended branch of a union.
bool Matches(const Node& writer, const Node& reader);

// Whether a reader considers the two the same type: same kind and, if named, same full name.
bool SameType(const Node& one, const Node& other);

}  // namespace shopstream::avro
