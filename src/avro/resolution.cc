#include "avro/resolution.h"

#include <algorithm>
#include <string_view>

namespace shopstream::avro {
namespace {

bool HasAlias(const Node& reader, const Node& writer) {
  return std::ranges::find(reader.aliases, writer.name) != reader.aliases.end();
}

// Without their namespaces; the reader's aliases count too.
bool NamesMatch(const Node& writer, const Node& reader) {
  return ShortName(reader.name) == ShortName(writer.name) || HasAlias(reader, writer);
}

// Whether the reader's logical type would give the writer's bytes another meaning. If only one side
// has a logical type, the value is read unchanged, as the specification requires.
bool ChangesMeaning(const Node& writer, const Node& reader) {
  if (writer.logical_type.empty() || reader.logical_type.empty()) return false;
  return writer.logical_type != reader.logical_type || writer.scale != reader.scale ||
         writer.precision > reader.precision;
}

// How well a branch of the reader's union matches a value; the lowest rank wins, and the first of
// equals. A type's own branch comes before a promotion, as in Avro's Java library: the
// specification's "first that matches" would turn the int of ["long", "int"] into a long.
enum class Rank : uint8_t { kSame, kAlias, kShortName, kPromoted, kWrongSize, kNone };

Rank RankOf(const Node& writer, const Node& branch) {
  if (branch.kind != writer.kind) {
    return Promotes(writer.kind, branch.kind) ? Rank::kPromoted : Rank::kNone;
  }
  if (!branch.is_named()) return Rank::kSame;
  if (!NamesMatch(writer, branch)) return Rank::kNone;
  if (branch.size != writer.size) return Rank::kWrongSize;
  if (branch.name == writer.name) return Rank::kSame;
  return HasAlias(branch, writer) ? Rank::kAlias : Rank::kShortName;
}

void ChooseBranch(Resolution* pair) {
  Rank best = Rank::kNone;
  for (size_t i = 0; i < pair->reader->branches.size(); ++i) {
    const Rank rank = RankOf(*pair->writer, *pair->reader->branches[i]);
    if (rank >= best) continue;
    best = rank;
    pair->branch = i;
  }
  if (best == Rank::kNone) pair->broken = ResolutionRule::kMissingUnionBranch;
}

using FieldsByName = std::unordered_map<std::string_view, size_t>;

// Fields of the same name first, so that an alias never takes a field that another one names.
void PairFields(Resolution* pair) {
  const std::vector<Field>& written = pair->writer->fields;
  const std::vector<Field>& read = pair->reader->fields;
  FieldsByName by_name;
  for (size_t i = 0; i < written.size(); ++i) by_name.emplace(written[i].name, i);
  pair->fields.resize(read.size());
  pair->read_into.assign(written.size(), Resolution::kSkipped);
  const auto consider = [&](size_t number, const std::string& name) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) return;
    FieldResolution& field = pair->fields[number];
    field.named.push_back(&written[found->second]);
    if (field.written != nullptr || pair->read_into[found->second] != Resolution::kSkipped) return;
    field.written = &written[found->second];
    pair->read_into[found->second] = number;
  };
  for (size_t i = 0; i < read.size(); ++i) consider(i, read[i].name);
  for (size_t i = 0; i < read.size(); ++i) {
    for (const std::string& alias : read[i].aliases) consider(i, alias);
    pair->fields[i].lacks_default = pair->fields[i].written == nullptr && !read[i].default_valid;
  }
}

void PairSymbols(Resolution* pair) {
  const Node& reader = *pair->reader;
  std::unordered_map<std::string_view, const std::string*> known;
  for (const std::string& symbol : reader.symbols) known.emplace(symbol, &symbol);
  for (const std::string& symbol : pair->writer->symbols) {
    const auto found = known.find(symbol);
    pair->symbols.push_back(found != known.end()    ? found->second
                            : reader.default_symbol ? &*reader.default_symbol
                                                    : nullptr);
    if (pair->symbols.back() == nullptr && !pair->broken) {
      pair->broken = ResolutionRule::kMissingEnumSymbols;
    }
  }
}

// Neither is a union.
void ResolvePlain(Resolution* pair) {
  const Node& writer = *pair->writer;
  const Node& reader = *pair->reader;
  if (reader.kind != writer.kind) {
    if (!Promotes(writer.kind, reader.kind)) pair->broken = ResolutionRule::kTypeMismatch;
    pair->changes_meaning = !pair->broken && ChangesMeaning(writer, reader);
    return;
  }
  pair->changes_meaning = ChangesMeaning(writer, reader);
  if (reader.is_named() && !NamesMatch(writer, reader)) {
    pair->broken = ResolutionRule::kNameMismatch;
  } else if (reader.size != writer.size) {
    pair->broken = ResolutionRule::kFixedSizeMismatch;
  }
  switch (reader.kind) {
    case Kind::kRecord:
      pair->form = ResolutionForm::kRecord;
      return PairFields(pair);
    case Kind::kArray:
    case Kind::kMap:
      pair->form = ResolutionForm::kItems;
      return;
    case Kind::kEnum:
      return PairSymbols(pair);
    default:
      return;
  }
}

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

const Resolution& ResolvedTree::Resolve(const Node& writer, const Node& reader) {
  const auto [place, first] = pairs_.try_emplace({&writer, &reader});
  Resolution& pair = place->second;
  if (!first) return pair;
  pair.writer = &writer;
  pair.reader = &reader;
  if (writer.kind == Kind::kUnion) {
    pair.form = ResolutionForm::kWriterUnion;
  } else if (reader.kind == Kind::kUnion) {
    pair.form = ResolutionForm::kReaderUnion;
    ChooseBranch(&pair);
  } else {
    ResolvePlain(&pair);
  }
  return pair;
}

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

// Terminates: only definitions nest, and records are not descended into.
bool Matches(const Node& writer, const Node& reader) {
  if (reader.kind == Kind::kUnion || writer.kind == Kind::kUnion) return true;
  if (reader.kind != writer.kind) return Promotes(writer.kind, reader.kind);
  switch (reader.kind) {
    case Kind::kArray:
    case Kind::kMap:
      return Matches(*writer.items, *reader.items);
    case Kind::kFixed:
      return NamesMatch(writer, reader) && reader.size == writer.size;
    case Kind::kRecord:
    case Kind::kEnum:
      return NamesMatch(writer, reader);
    default:
      return true;
  }
}

bool SameType(const Node& one, const Node& other) {
  return one.kind == other.kind && one.name == other.name;
}

}  // namespace shopstream::avro
