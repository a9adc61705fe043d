#include "avro/compatibility.h"

#include <algorithm>
#include <deque>
#include <set>
#include <string_view>
#include <utility>

#include "avro/node.h"

namespace shopstream::avro {
namespace {

// "int is promotable to long, float or double" and so on.
bool Promotes(Kind writer, Kind reader) {
  switch (writer) {
    case Kind::kInt:
      return reader == Kind::kLong || reader == Kind::kFloat || reader == Kind::kDouble;
    case Kind::kLong:
      return reader == Kind::kFloat || reader == Kind::kDouble;
    case Kind::kFloat:
      return reader == Kind::kDouble;
    case Kind::kString:
      return reader == Kind::kBytes;
    case Kind::kBytes:
      return reader == Kind::kString;
    default:
      return false;
  }
}

// The specification compares names without their namespaces; an alias of the reader counts too.
bool NamesMatch(const Node& reader, const Node& writer) {
  return ShortName(reader.name) == ShortName(writer.name) ||
         std::ranges::find(reader.aliases, writer.name) != reader.aliases.end();
}

// "Schemas match", the specification's shallow test, by which a branch of a union is chosen.
// Ends: only definitions nest, and a record is not looked into.
bool Matches(const Node& reader, const Node& writer) {
  if (reader.kind == Kind::kUnion || writer.kind == Kind::kUnion) return true;
  if (reader.kind != writer.kind) return Promotes(writer.kind, reader.kind);
  switch (reader.kind) {
    case Kind::kArray:
    case Kind::kMap:
      return Matches(*reader.items, *writer.items);
    case Kind::kFixed:
      return NamesMatch(reader, writer) && reader.size == writer.size;
    case Kind::kRecord:
    case Kind::kEnum:
      return NamesMatch(reader, writer);
    default:
      return true;
  }
}

// Resolution is a conjunction over pairs of types, so a queue of pairs replaces recursion.
class Checker {
 public:
  std::vector<Incompatibility> Check(const Node& reader, const Node& writer) {
    Add(reader, writer, "");
    while (!pairs_.empty()) {
      const Pair pair = std::move(pairs_.front());
      pairs_.pop_front();
      CheckPair(*pair.reader, *pair.writer, pair.path);
    }
    return std::move(found_);
  }

 private:
  struct Pair {
    const Node* reader;
    const Node* writer;
    std::string path;
  };

  // Cycles go through records only; other pairs are reported at each place they stand.
  void Add(const Node& reader, const Node& writer, std::string path) {
    const bool records = reader.kind == Kind::kRecord && writer.kind == Kind::kRecord;
    if (records && !seen_.emplace(&reader, &writer).second) return;
    pairs_.push_back({&reader, &writer, std::move(path)});
  }

  void Report(ResolutionRule rule, std::string path, std::string message, std::string remedy,
              bool only_nulls = false) {
    found_.push_back({rule, std::move(path), std::move(message), std::move(remedy), only_nulls});
  }

  void CheckPair(const Node& reader, const Node& writer, const std::string& path) {
    if (writer.kind == Kind::kUnion) {
      for (const Node* branch : writer.branches) Add(reader, *branch, path);
    } else if (reader.kind == Kind::kUnion) {
      CheckBranches(reader, writer, path);
    } else if (reader.kind != writer.kind) {
      if (!Promotes(writer.kind, reader.kind)) ReportType(reader, writer, path);
    } else if (reader.is_named()) {
      CheckNamed(reader, writer, path);
    } else if (reader.kind == Kind::kArray || reader.kind == Kind::kMap) {
      Add(*reader.items, *writer.items,
          path + (reader.kind == Kind::kArray ? "/items" : "/values"));
    }
  }

  // The branch of the same full name where there is one, else the first that matches.
  void CheckBranches(const Node& reader, const Node& writer, const std::string& path) {
    size_t chosen = reader.branches.size();
    for (size_t i = reader.branches.size(); i-- > 0;) {
      const Node& branch = *reader.branches[i];
      if (!Matches(branch, writer)) continue;
      const bool same = branch.kind == writer.kind && branch.name == writer.name;
      const bool chosen_same = chosen < reader.branches.size() &&
                               reader.branches[chosen]->kind == writer.kind &&
                               reader.branches[chosen]->name == writer.name;
      if (same || !chosen_same) chosen = i;
    }
    if (chosen < reader.branches.size()) {
      return Add(*reader.branches[chosen], writer, path + "/" + std::to_string(chosen));
    }
    Report(
        ResolutionRule::kMissingUnionBranch, path,
        "the reader's " + Describe(reader) + " has no branch for the writer's " + Describe(writer),
        "add a branch of type " + std::string(Name(writer.kind)) + " to the union",
        writer.kind == Kind::kNull);
  }

  void ReportType(const Node& reader, const Node& writer, const std::string& path) {
    Report(ResolutionRule::kTypeMismatch, path,
           "the reader's " + Describe(reader) + " cannot hold the writer's " + Describe(writer),
           "keep the writer's type, or one that it is promoted to (int to long to float to double, "
           "string and bytes to each other), or add a new field with a default",
           writer.kind == Kind::kNull);
  }

  void CheckNamed(const Node& reader, const Node& writer, const std::string& path) {
    if (!NamesMatch(reader, writer)) {
      return Report(ResolutionRule::kNameMismatch, path + "/name",
                    "the reader's " + Describe(reader) + " is not the writer's " + Describe(writer),
                    "keep the name, or add the alias \"" + writer.name + "\"");
    }
    if (reader.kind == Kind::kFixed && reader.size != writer.size) {
      return Report(ResolutionRule::kFixedSizeMismatch, path + "/size",
                    "fixed " + reader.name + " has " + std::to_string(reader.size) +
                        " bytes for the reader and " + std::to_string(writer.size) +
                        " for the writer",
                    "keep the size, or define a new type");
    }
    if (reader.kind == Kind::kEnum) CheckSymbols(reader, writer, path);
    if (reader.kind == Kind::kRecord) CheckFields(reader, writer, path);
  }

  void CheckSymbols(const Node& reader, const Node& writer, const std::string& path) {
    if (reader.default_symbol) return;
    const std::set<std::string_view> known(reader.symbols.begin(), reader.symbols.end());
    std::string missing;
    for (const std::string& symbol : writer.symbols) {
      if (!known.contains(symbol)) missing += (missing.empty() ? "" : ", ") + symbol;
    }
    if (missing.empty()) return;
    Report(ResolutionRule::kMissingEnumSymbols, path + "/symbols",
           "enum " + reader.name + " of the reader lacks the writer's " + missing,
           "keep these symbols, or give the enum a default");
  }

  void CheckFields(const Node& reader, const Node& writer, const std::string& path) {
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      const Field& field = reader.fields[i];
      const std::string place = path + "/fields/" + std::to_string(i);
      if (const Field* written = FindWritten(field, writer)) {
        Add(*field.type, *written->type, place + "/type");
      } else if (!field.default_value) {
        Report(ResolutionRule::kReaderFieldMissingDefaultValue, place,
               "field \"" + field.name + "\" of the reader's " + Describe(reader) +
                   " is not written and has no default",
               "give the field a default, or the alias of the field that it was");
      }
    }
  }

  std::deque<Pair> pairs_;
  std::set<std::pair<const Node*, const Node*>> seen_;
  std::vector<Incompatibility> found_;
};

}  // namespace

const char* Name(ResolutionRule rule) {
  switch (rule) {
    case ResolutionRule::kNameMismatch:
      return "NAME_MISMATCH";
    case ResolutionRule::kFixedSizeMismatch:
      return "FIXED_SIZE_MISMATCH";
    case ResolutionRule::kMissingEnumSymbols:
      return "MISSING_ENUM_SYMBOLS";
    case ResolutionRule::kReaderFieldMissingDefaultValue:
      return "READER_FIELD_MISSING_DEFAULT_VALUE";
    case ResolutionRule::kTypeMismatch:
      return "TYPE_MISMATCH";
    case ResolutionRule::kMissingUnionBranch:
      return "MISSING_UNION_BRANCH";
  }
  return "UNKNOWN";
}

std::vector<Incompatibility> CheckReadable(const Schema& reader, const Schema& writer) {
  return Checker().Check(reader.root(), writer.root());
}

}  // namespace shopstream::avro
