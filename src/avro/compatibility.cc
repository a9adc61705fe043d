#include "avro/compatibility.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "avro/node.h"

namespace shopstream::avro {
namespace {

// How the reader's branch for a value is found.
enum class UnionChoice {
  kFirstMatch,  // The one of its name, else the first that matches: what a decoder does.
  kAnyMatch,    // Any that can read it: what Avro's Java library asks for.
};

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

std::string Upper(const Node& node) {
  std::string name = Name(node.kind);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

bool SameName(const Node& reader, const Node& writer) {
  return reader.kind == writer.kind && reader.name == writer.name;
}

// The writer's fields that a reader's field stands for, by its name and by each alias.
std::vector<const Field*> FindAllWritten(const Field& field, const Node& writer) {
  std::vector<const Field*> found;
  const auto add = [&](const std::string& name) {
    const auto written = std::ranges::find(writer.fields, name, &Field::name);
    if (written != writer.fields.end()) found.push_back(&*written);
  };
  add(field.name);
  for (const std::string& alias : field.aliases) add(alias);
  return found;
}

class Checker {
 public:
  explicit Checker(UnionChoice choice) : choice_(choice) {}

  std::vector<Incompatibility> Check(const Node& reader, const Node& writer) {
    CheckPair(reader, writer, "", 0);
    if (refusal_.has_value()) found_ = {*refusal_};
    return std::move(found_);
  }

 private:
  bool Report(ResolutionRule rule, std::string path, std::string message, std::string remedy,
              std::string info, bool only_nulls = false) {
    if (found_.size() < kMostReasons) {
      found_.push_back({rule, std::move(path), std::move(message), std::move(remedy),
                        std::move(info), only_nulls});
    }
    return false;
  }

  // Whether it can be read; what is wrong is reported. A pair within itself is taken for readable,
  // as by Avro's Java library, and one that was found readable is not looked at again.
  bool CheckPair(const Node& reader, const Node& writer, const std::string& path, int depth) {
    if (++pairs_ > kMostPairs || depth > kMostDepth) {
      refusal_ = {
          ResolutionRule::kTypeMismatch,  "", "the two schemas are too large to be compared",
          "split them into smaller ones", "", false};
    }
    if (refusal_.has_value()) return false;
    const auto [known, first] = seen_.try_emplace({&reader, &writer}, true);
    if (!first && known->second) return true;
    const bool readable = CheckTypes(reader, writer, path, depth);
    if (!readable) seen_[{&reader, &writer}] = false;
    return readable;
  }

  bool CheckTypes(const Node& reader, const Node& writer, const std::string& path, int depth) {
    if (writer.kind == Kind::kUnion) return CheckWritersBranches(reader, writer, path, depth);
    if (reader.kind == Kind::kUnion) return CheckReadersBranches(reader, writer, path, depth);
    if (reader.kind != writer.kind) {
      return Promotes(writer.kind, reader.kind) || ReportType(reader, writer, path);
    }
    if (reader.kind == Kind::kRecord) return CheckRecords(reader, writer, path, depth);
    if (reader.is_named()) return CheckNamed(reader, writer, path);
    if (reader.kind == Kind::kArray || reader.kind == Kind::kMap) {
      return CheckPair(*reader.items, *writer.items,
                       path + (reader.kind == Kind::kArray ? "/items" : "/values"), depth + 1);
    }
    return true;
  }

  bool CheckWritersBranches(const Node& reader, const Node& writer, const std::string& path,
                            int depth) {
    bool readable = true;
    for (const Node* branch : writer.branches) {
      readable = CheckPair(reader, *branch, path, depth + 1) && readable;
    }
    return readable;
  }

  bool CheckReadersBranches(const Node& reader, const Node& writer, const std::string& path,
                            int depth) {
    const auto check = [&](size_t i) {
      return CheckPair(*reader.branches[i], writer, path + "/" + std::to_string(i), depth + 1);
    };
    if (choice_ == UnionChoice::kFirstMatch) {
      const size_t chosen = ChooseBranch(reader, writer);
      if (chosen < reader.branches.size()) return check(chosen);
      return ReportBranch(reader, writer, path);
    }
    const size_t before = found_.size();
    size_t named = reader.branches.size();
    for (size_t i = 0; i < reader.branches.size(); ++i) {
      // The library examines the fields of records whatever their names, and may stop at them.
      const bool records =
          reader.branches[i]->kind == Kind::kRecord && writer.kind == Kind::kRecord;
      if (!records && !Matches(*reader.branches[i], writer)) continue;
      if (reader.branches[i]->is_named() && SameName(*reader.branches[i], writer)) named = i;
      const bool readable = check(i);
      found_.resize(std::min(before, found_.size()));
      if (readable) return true;
    }
    if (named == reader.branches.size()) return ReportBranch(reader, writer, path);
    // What is wrong with the branch that was meant says more than that none fits.
    return check(named) && ReportBranch(reader, writer, path);
  }

  // The branch of the same full name where there is one, else the first that matches.
  static size_t ChooseBranch(const Node& reader, const Node& writer) {
    size_t chosen = reader.branches.size();
    for (size_t i = reader.branches.size(); i-- > 0;) {
      if (!Matches(*reader.branches[i], writer)) continue;
      const bool chosen_same =
          chosen < reader.branches.size() && SameName(*reader.branches[chosen], writer);
      if (SameName(*reader.branches[i], writer) || !chosen_same) chosen = i;
    }
    return chosen;
  }

  bool ReportBranch(const Node& reader, const Node& writer, const std::string& path) {
    return Report(
        ResolutionRule::kMissingUnionBranch, path,
        "the reader's " + Describe(reader) + " has no branch for the writer's " + Describe(writer),
        "add a branch of type " + std::string(Name(writer.kind)) + " to the union",
        "reader union lacking writer type: " + Upper(writer), writer.kind == Kind::kNull);
  }

  bool ReportType(const Node& reader, const Node& writer, const std::string& path) {
    return Report(
        ResolutionRule::kTypeMismatch, path,
        "the reader's " + Describe(reader) + " cannot hold the writer's " + Describe(writer),
        "keep the writer's type, or one that it is promoted to (int to long to float to double, "
        "string and bytes to each other), or add a new field with a default",
        "reader type: " + Upper(reader) + " not compatible with writer type: " + Upper(writer),
        writer.kind == Kind::kNull);
  }

  bool CheckName(const Node& reader, const Node& writer, const std::string& path) {
    if (NamesMatch(reader, writer)) return true;
    return Report(ResolutionRule::kNameMismatch, path + "/name",
                  "the reader's " + Describe(reader) + " is not the writer's " + Describe(writer),
                  "keep the name, or add the alias \"" + writer.name + "\"",
                  "expected: " + writer.name);
  }

  // Enum, fixed.
  bool CheckNamed(const Node& reader, const Node& writer, const std::string& path) {
    if (!CheckName(reader, writer, path)) return false;
    if (reader.kind == Kind::kEnum) return CheckSymbols(reader, writer, path);
    if (reader.size == writer.size) return true;
    return Report(
        ResolutionRule::kFixedSizeMismatch, path + "/size",
        "fixed " + reader.name + " has " + std::to_string(reader.size) +
            " bytes for the reader and " + std::to_string(writer.size) + " for the writer",
        "keep the size, or define a new type",
        "expected: " + std::to_string(writer.size) + ", found: " + std::to_string(reader.size));
  }

  bool CheckSymbols(const Node& reader, const Node& writer, const std::string& path) {
    if (reader.default_symbol) return true;
    const std::set<std::string_view> known(reader.symbols.begin(), reader.symbols.end());
    std::string missing;
    for (const std::string& symbol : writer.symbols) {
      if (!known.contains(symbol)) missing += (missing.empty() ? "" : ", ") + symbol;
    }
    if (missing.empty()) return true;
    return Report(ResolutionRule::kMissingEnumSymbols, path + "/symbols",
                  "enum " + reader.name + " of the reader lacks the writer's " + missing,
                  "keep these symbols, or give the enum a default", "[" + missing + "]");
  }

  // Records that do not fit are not looked at again: they may hold much, and each other.
  bool CheckRecords(const Node& reader, const Node& writer, const std::string& path, int depth) {
    const auto known = broken_records_.find({&reader, &writer});
    if (known != broken_records_.end()) {
      const auto same = [&](const Incompatibility& one) { return one.path == known->second.path; };
      if (std::ranges::none_of(found_, same)) found_.push_back(known->second);
      return false;
    }
    const size_t before = found_.size();
    const bool named = CheckName(reader, writer, path);
    const size_t reasons = found_.size();
    if (named || choice_ == UnionChoice::kAnyMatch) {
      const bool readable = CheckFields(reader, writer, path, depth);
      if (named && readable) return true;
    }
    if (!named) found_.resize(std::min(reasons, found_.size()));  // The name says enough.
    if (before < found_.size()) {
      broken_records_.emplace(std::pair(&reader, &writer), found_[before]);
    }
    return false;
  }

  bool CheckFields(const Node& reader, const Node& writer, const std::string& path, int depth) {
    bool readable = true;
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      const std::string place = path + "/fields/" + std::to_string(i);
      readable = CheckField(reader, reader.fields[i], writer, place, depth) && readable;
    }
    return readable;
  }

  bool CheckField(const Node& reader, const Field& field, const Node& writer,
                  const std::string& place, int depth) {
    const std::vector<const Field*> written = FindAllWritten(field, writer);
    if (written.size() > 1 && choice_ == UnionChoice::kAnyMatch) {
      refusal_ = {ResolutionRule::kNameMismatch,
                  place,
                  "field \"" + field.name + "\" of the reader's " + Describe(reader) +
                      " matches several of the writer's fields: its aliases name more than one",
                  "remove the alias of the field that the writer still has",
                  field.name,
                  false};
      return false;
    }
    if (!written.empty()) {
      return CheckPair(*field.type, *written.front()->type, place + "/type", depth + 1);
    }
    if (field.default_value) return true;
    return Report(ResolutionRule::kReaderFieldMissingDefaultValue, place,
                  "field \"" + field.name + "\" of the reader's " + Describe(reader) +
                      " is not written and has no default",
                  "give the field a default, or its former name as an alias", field.name);
  }

  // Bounds of time and stack for hostile schemas; far above what people write.
  static constexpr size_t kMostPairs = 1'000'000;
  static constexpr int kMostDepth = 2'000;
  static constexpr size_t kMostReasons = 100;

  const UnionChoice choice_;
  std::map<std::pair<const Node*, const Node*>, bool> seen_;  // False: it does not fit.
  // The first reason of each. One whose reasons were all cut off is looked at again.
  std::map<std::pair<const Node*, const Node*>, Incompatibility> broken_records_;
  std::vector<Incompatibility> found_;
  size_t pairs_ = 0;
  std::optional<Incompatibility> refusal_;  // Ends it all: the only reason then.
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
  return Checker(UnionChoice::kFirstMatch).Check(reader.root(), writer.root());
}

std::vector<Incompatibility> CheckCompatible(const Schema& reader, const Schema& writer) {
  return Checker(UnionChoice::kAnyMatch).Check(reader.root(), writer.root());
}

}  // namespace shopstream::avro
