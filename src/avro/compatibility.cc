#include "avro/compatibility.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <utility>

#include "avro/node.h"
#include "avro/resolution.h"

namespace shopstream::avro {
namespace {

enum class Verdict {
  kDecoder,  // Whether the resolved tree reads every value.
  kJava,     // Accepts any branch of a reader's union; rejects a field that matches several.
};

std::string Upper(const Node& node) {
  std::string name = Name(node.kind);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

class Checker {
 public:
  Checker(Verdict verdict, ResolvedTree* tree) : verdict_(verdict), tree_(tree) {}

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

  // Whether it can be read; reports what is wrong. A pair within itself is assumed readable, as in
  // Avro's Java library, and a pair found readable is not checked again.
  bool CheckPair(const Node& reader, const Node& writer, const std::string& path, int depth) {
    pairs_ += 1 + writer.fields.size() + reader.fields.size();  // What a pair keeps in memory.
    if (pairs_ > kMostPairs || depth > kMostDepth) {
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
    const Resolution& pair = tree_->Resolve(writer, reader);
    switch (pair.form) {
      case ResolutionForm::kWriterUnion:
        return CheckWritersBranches(reader, writer, path, depth);
      case ResolutionForm::kReaderUnion:
        return verdict_ == Verdict::kJava ? CheckAnyBranch(reader, writer, path, depth)
                                          : CheckChosenBranch(pair, path, depth);
      case ResolutionForm::kRecord:
        return CheckRecords(pair, path, depth);
      case ResolutionForm::kItems:
        return CheckPair(*reader.items, *writer.items,
                         path + (reader.kind == Kind::kArray ? "/items" : "/values"), depth + 1);
      case ResolutionForm::kValue:
        return CheckValue(pair, path);
    }
    return false;
  }

  bool CheckWritersBranches(const Node& reader, const Node& writer, const std::string& path,
                            int depth) {
    bool readable = true;
    for (const Node* branch : writer.branches) {
      readable = CheckPair(reader, *branch, path, depth + 1) && readable;
    }
    return readable;
  }

  bool CheckChosenBranch(const Resolution& pair, const std::string& path, int depth) {
    if (pair.broken) return ReportBranch(*pair.reader, *pair.writer, path);
    return CheckPair(pair.chosen(), *pair.writer, path + "/" + std::to_string(pair.branch),
                     depth + 1);
  }

  bool CheckAnyBranch(const Node& reader, const Node& writer, const std::string& path, int depth) {
    const auto check = [&](size_t i) {
      return CheckPair(*reader.branches[i], writer, path + "/" + std::to_string(i), depth + 1);
    };
    const size_t before = found_.size();
    size_t named = reader.branches.size();
    for (size_t i = 0; i < reader.branches.size(); ++i) {
      const Node& branch = *reader.branches[i];
      // The library examines the fields of records whatever their names, and may stop at them.
      const bool records = branch.kind == Kind::kRecord && writer.kind == Kind::kRecord;
      if (!records && !Matches(writer, branch)) continue;
      if (branch.is_named() && SameType(branch, writer)) named = i;
      const bool readable = check(i);
      found_.resize(std::min(before, found_.size()));
      if (readable) return true;
    }
    if (named == reader.branches.size()) return ReportBranch(reader, writer, path);
    // The fault in the intended branch says more than that no branch matches.
    return check(named) && ReportBranch(reader, writer, path);
  }

  bool CheckValue(const Resolution& pair, const std::string& path) {
    const Node& reader = *pair.reader;
    const Node& writer = *pair.writer;
    if (!pair.broken) return CheckMeaning(pair, path);
    switch (*pair.broken) {
      case ResolutionRule::kNameMismatch:
        return ReportName(reader, writer, path);
      case ResolutionRule::kFixedSizeMismatch:
        return ReportSize(reader, writer, path);
      case ResolutionRule::kMissingEnumSymbols:
        return ReportSymbols(pair, path);
      default:
        return ReportType(reader, writer, path);
    }
  }

  bool CheckMeaning(const Resolution& pair, const std::string& path) {
    if (!pair.changes_meaning || verdict_ == Verdict::kJava) return true;
    return Report(ResolutionRule::kTypeMismatch, path,
                  "the writer's " + Describe(*pair.writer) + " would be read as the reader's " +
                      Describe(*pair.reader) + ", with another value",
                  "keep the logical type, or add a new field with a default",
                  "reader type: " + Upper(*pair.reader) +
                      " not compatible with writer type: " + Upper(*pair.writer));
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

  bool ReportName(const Node& reader, const Node& writer, const std::string& path) {
    return Report(ResolutionRule::kNameMismatch, path + "/name",
                  "the reader's " + Describe(reader) + " is not the writer's " + Describe(writer),
                  "keep the name, or add the alias \"" + writer.name + "\"",
                  "expected: " + writer.name);
  }

  bool ReportSize(const Node& reader, const Node& writer, const std::string& path) {
    return Report(
        ResolutionRule::kFixedSizeMismatch, path + "/size",
        "fixed " + reader.name + " has " + std::to_string(reader.size) +
            " bytes for the reader and " + std::to_string(writer.size) + " for the writer",
        "keep the size, or define a new type",
        "expected: " + std::to_string(writer.size) + ", found: " + std::to_string(reader.size));
  }

  bool ReportSymbols(const Resolution& pair, const std::string& path) {
    std::string missing;
    for (size_t i = 0; i < pair.symbols.size(); ++i) {
      if (pair.symbols[i] != nullptr) continue;
      missing += (missing.empty() ? "" : ", ") + pair.writer->symbols[i];
    }
    return Report(ResolutionRule::kMissingEnumSymbols, path + "/symbols",
                  "enum " + pair.reader->name + " of the reader lacks the writer's " + missing,
                  "keep these symbols, or give the enum a default", "[" + missing + "]");
  }

  // Mismatched records are not checked again: they may be large and contain each other.
  bool CheckRecords(const Resolution& pair, const std::string& path, int depth) {
    const auto known = broken_records_.find(&pair);
    if (known != broken_records_.end()) {
      const auto same = [&](const Incompatibility& one) { return one.path == known->second.path; };
      if (std::ranges::none_of(found_, same)) found_.push_back(known->second);
      return false;
    }
    const size_t before = found_.size();
    const bool named = !pair.broken || ReportName(*pair.reader, *pair.writer, path);
    const size_t reasons = found_.size();
    if (named || verdict_ == Verdict::kJava) {
      const bool readable = CheckFields(pair, path, depth);
      if (named && readable) return true;
    }
    if (!named) found_.resize(std::min(reasons, found_.size()));  // The name says enough.
    if (before < found_.size()) broken_records_.emplace(&pair, found_[before]);
    return false;
  }

  bool CheckFields(const Resolution& pair, const std::string& path, int depth) {
    bool readable = true;
    for (size_t i = 0; i < pair.fields.size(); ++i) {
      const std::string place = path + "/fields/" + std::to_string(i);
      readable = CheckField(pair, i, place, depth) && readable;
    }
    return readable;
  }

  bool CheckField(const Resolution& pair, size_t number, const std::string& place, int depth) {
    const Field& field = pair.reader->fields[number];
    const FieldResolution& found = pair.fields[number];
    const Field* written = found.written;
    bool lacks_default = found.lacks_default;
    if (verdict_ == Verdict::kJava) {
      if (found.named.size() > 1) return RefuseSeveral(pair, field, place);
      written = found.named.empty() ? nullptr : found.named.front();
      lacks_default = written == nullptr && !field.default_value;
    }
    if (written != nullptr) {
      return CheckPair(*field.type, *written->type, place + "/type", depth + 1);
    }
    if (!lacks_default) return true;
    return Report(ResolutionRule::kReaderFieldMissingDefaultValue, place,
                  "field \"" + field.name + "\" of the reader's " + Describe(*pair.reader) +
                      (field.default_value ? " is not written, and its default is not valid"
                                           : " is not written and has no default"),
                  "give the field a default, or its former name as an alias", field.name);
  }

  bool RefuseSeveral(const Resolution& pair, const Field& field, const std::string& place) {
    refusal_ = {ResolutionRule::kNameMismatch,
                place,
                "field \"" + field.name + "\" of the reader's " + Describe(*pair.reader) +
                    " matches several of the writer's fields: its aliases name more than one",
                "remove the alias of the field that the writer still has",
                field.name,
                false};
    return false;
  }

  // Bounds on time and stack for hostile schemas; far above what people write.
  static constexpr size_t kMostPairs = 1'000'000;
  static constexpr int kMostDepth = 2'000;
  static constexpr size_t kMostReasons = 100;

  const Verdict verdict_;
  ResolvedTree* const tree_;
  std::map<std::pair<const Node*, const Node*>, bool> seen_;  // False: it does not match.
  // The first reason of each. A pair whose reasons were all cut off is checked again.
  std::map<const Resolution*, Incompatibility> broken_records_;
  std::vector<Incompatibility> found_;
  size_t pairs_ = 0;
  std::optional<Incompatibility> refusal_;  // Stops the check: then it is the only reason.
};

}  // namespace

std::vector<Incompatibility> CheckReadable(const Schema& reader, const Schema& writer,
                                           ResolvedTree* tree) {
  return Checker(Verdict::kDecoder, tree).Check(reader.root(), writer.root());
}

std::vector<Incompatibility> CheckReadable(const Schema& reader, const Schema& writer) {
  ResolvedTree tree;
  return CheckReadable(reader, writer, &tree);
}

std::vector<Incompatibility> CheckCompatible(const Schema& reader, const Schema& writer) {
  ResolvedTree tree;
  return Checker(Verdict::kJava, &tree).Check(reader.root(), writer.root());
}

}  // namespace shopstream::avro
