#include "avro/schema_text.h"

#include <algorithm>
#include <optional>

namespace shopstream::avro {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The position after the string that begins at `at`.
size_t SkipString(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// The position after the comment that begins at `at`; nothing if it does not end.
std::optional<size_t> SkipComment(std::string_view text, size_t at) {
  if (text[at + 1] == '/') return std::min(text.find('\n', at), text.size());
  const size_t end = text.find("*/", at + 2);
  if (end == std::string_view::npos) return std::nullopt;
  return end + 2;
}

bool BeginsComment(std::string_view text, size_t at) {
  return text[at] == '/' && at + 1 < text.size() && (text[at + 1] == '/' || text[at + 1] == '*');
}

}  // namespace

Result<std::string> WithoutComments(std::string_view text) {
  std::string plain(text);
  constexpr size_t kNone = std::string_view::npos;
  size_t last_comment = kNone;  // Followed only by white space.
  bool any_document = false;
  for (size_t at = 0; at < text.size();) {
    if (BeginsComment(text, at)) {
      const auto end = SkipComment(text, at);
      if (!end) return Status::Invalid("Avro schema, at byte ", at, ": the comment is not closed");
      std::fill(plain.begin() + static_cast<ptrdiff_t>(at),
                plain.begin() + static_cast<ptrdiff_t>(*end), ' ');
      last_comment = at;
      at = *end;
      continue;
    }
    if (!IsSpace(text[at])) {
      last_comment = kNone;
      any_document = true;
    }
    at = text[at] == '"' ? SkipString(text, at) : at + 1;
  }
  if (last_comment == kNone || !any_document) return plain;
  return Status::Invalid("Avro schema, at byte ", last_comment,
                         ": a comment follows the schema; Avro accepts comments only before its ",
                         "end");
}

Status CheckJsonDepth(std::string_view text, int most) {
  int depth = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > most) {
      return Status::Invalid("Avro schema, at byte ", at, ": brackets nest more than ", most,
                             " deep; split the type into smaller ones");
    }
    at = c == '"' ? SkipString(text, at) : at + 1;
  }
  return Status::OK();
}

}  // namespace shopstream::avro
