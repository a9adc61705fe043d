#include "refine/gold_file.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/format.h"
#include "base/join.h"
#include "base/nearest_name.h"
#include "base/sha256.h"
#include "sql/sql_words.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

constexpr std::string_view kKinds = "add, min, max, distinct COLUMN or derived";

std::string_view TrimmedGold(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// What follows the "--" of a comment; nothing: it is not one.
std::optional<std::string_view> CommentOf(std::string_view line) {
  line = TrimmedGold(line);
  if (!line.starts_with("--")) return std::nullopt;
  return TrimmedGold(line.substr(2));
}

bool IsPlainName(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

class GoldParser {
 public:
  GoldParser(const std::string& name, const sql::SqlText& text) : text_(text) { file_.name = name; }

  Result<GoldFile> Run() {
    if (!IsPlainName(file_.name)) {
      return Error(0, "a Gold file is named after its table: small letters, digits and _");
    }
    std::istringstream lines(text_.text);
    line_ = text_.first_line - 1;
    for (std::string line; std::getline(lines, line);) {
      ++line_;
      ARROW_RETURN_NOT_OK(Take(line));
    }
    ARROW_RETURN_NOT_OK(CheckParts());
    file_.hash = FormatHex(Sha256(text_.text));
    return std::move(file_);
  }

 private:
  Status Take(const std::string& line) {
    const auto comment = CommentOf(line);
    if (comment == "aggregate") return Begin(&file_.aggregate, "aggregate");
    if (comment == "derive") return Begin(&file_.derive, "derive");
    if (part_ != nullptr) {
      part_->text += line + "\n";
      return Status::OK();
    }
    if (!comment && !TrimmedGold(line).empty()) {
      return Error(line_, "SQL before the line `-- aggregate`");
    }
    if (!comment || comment->empty()) return Status::OK();
    if (comment->starts_with("key:")) return TakeKey(comment->substr(4));
    // Before the key, people describe the table.
    return file_.columns.empty() ? Status::OK() : TakeColumn(*comment);
  }

  Status Begin(sql::SqlText* part, const char* name) {
    if (part->first_line > 1) return Error(line_, std::string("a second `-- ") + name + "`");
    if (part == &file_.derive && part_ == nullptr) {
      return Error(line_, "`-- derive` before `-- aggregate`");
    }
    part_ = part;
    *part = {.text = "", .file = text_.file, .first_line = line_ + 1};
    return Status::OK();
  }

  Status TakeKey(std::string_view names) {
    if (!file_.columns.empty()) return Error(line_, "a second key");
    for (const std::string& name : SplitList(std::string(names))) {
      ARROW_RETURN_NOT_OK(Add({.name = name, .kind = GoldKind::kKey}));
    }
    const auto is_date = [](const GoldColumn& column) { return column.name == tables::kDate; };
    if (std::ranges::none_of(file_.columns, is_date)) {
      return Error(line_, "the key needs the column date, by which the table is partitioned");
    }
    return Status::OK();
  }

  Status TakeColumn(std::string_view declaration) {
    const size_t colon = declaration.find(':');
    if (colon == std::string_view::npos) {
      return Error(line_,
                   "'" + std::string(declaration) +
                       "' is no declaration (COLUMN: KIND); describe the table above its key");
    }
    GoldColumn column{.name = std::string(TrimmedGold(declaration.substr(0, colon)))};
    ARROW_RETURN_NOT_OK(SetKind(TrimmedGold(declaration.substr(colon + 1)), &column));
    return Add(std::move(column));
  }

  Status SetKind(std::string_view text, GoldColumn* column) {
    static const std::map<std::string, GoldKind, std::less<>> kByName = {
        {"add", GoldKind::kAdd},
        {"min", GoldKind::kMin},
        {"max", GoldKind::kMax},
        {"distinct", GoldKind::kDistinct},
        {"derived", GoldKind::kDerived}};
    const size_t space = std::min(text.find(' '), text.size());
    const std::string kind(text.substr(0, space));
    const std::string_view counted = TrimmedGold(text.substr(space));
    const auto found = kByName.find(kind);
    if (found == kByName.end()) {
      std::vector<std::string> names;
      for (const auto& [name, unused] : kByName) names.push_back(name);
      return Error(line_, "column " + column->name + ": '" + kind + "' is none of " +
                              std::string(kKinds) + DidYouMean(kind, names));
    }
    column->kind = found->second;
    if (column->kind == GoldKind::kDistinct ? !IsPlainName(counted) : !counted.empty()) {
      return Error(line_, "column " + column->name + ": '" + std::string(text) + "' is none of " +
                              std::string(kKinds));
    }
    column->counted = counted;
    return Status::OK();
  }

  Status Add(GoldColumn column) {
    if (!IsPlainName(column.name)) {
      return Error(line_, "'" + column.name + "' is not a column's name: small letters, digits, _");
    }
    if (const GoldColumn* other = file_.Find(column.name)) {
      return Error(line_, "column " + column.name + " is declared in line " +
                              std::to_string(other->line) + " already");
    }
    column.line = line_;
    file_.columns.push_back(std::move(column));
    return Status::OK();
  }

  Status CheckParts() {
    if (file_.columns.empty()) {
      return Error(0, "there is no line `-- key: date, ...` before `-- aggregate`");
    }
    ARROW_RETURN_NOT_OK(CheckPart(&file_.aggregate, "aggregate"));
    if (file_.derive.first_line > 1) ARROW_RETURN_NOT_OK(CheckPart(&file_.derive, "derive"));
    for (const GoldColumn& column : file_.columns) {
      if (column.kind != GoldKind::kDerived || file_.HasDerive()) continue;
      return Error(column.line, "column " + column.name +
                                    " is derived, but there is no SELECT below a line `-- derive`");
    }
    return Status::OK();
  }

  Status CheckPart(sql::SqlText* part, const std::string& name) const {
    const auto statements = sql::SplitStatements(*part);
    const int line = part->first_line - 1;
    if (statements.empty()) {
      return Error(line, "there is no SELECT below a line `-- " + name + "`");
    }
    if (statements.size() > 1) {
      return Error(statements[1].first_line, "a second statement in the " + name + " part");
    }
    *part = statements[0];
    part->text.erase(part->text.find_last_not_of(" \t\r\n") + 1);
    part->text += "\n";  // It may end in a comment.
    return Status::OK();
  }

  // Line 0: the file as a whole.
  Status Error(int line, const std::string& what) const {
    return GoldError(text_.file, line, what);
  }

  const sql::SqlText& text_;
  GoldFile file_;
  int line_ = 0;
  sql::SqlText* part_ = nullptr;  // Null: above them.
};

}  // namespace

Status GoldError(const std::string& file, int line, const std::string& what) {
  return Status::Invalid(file, line > 0 ? ":" + std::to_string(line) : "", ": ", what);
}

std::vector<std::string> GoldFile::Keys() const {
  std::vector<std::string> keys;
  for (const GoldColumn& column : columns) {
    if (column.kind == GoldKind::kKey) keys.push_back(column.name);
  }
  return keys;
}

const GoldColumn* GoldFile::Find(const std::string& column) const {
  const auto found = std::ranges::find(columns, column, &GoldColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

Result<GoldFile> ParseGold(const std::string& name, const sql::SqlText& text) {
  return GoldParser(name, text).Run();
}

}  // namespace shopstream::refine
