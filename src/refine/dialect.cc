#include "refine/dialect.h"

#include <algorithm>

namespace shopstream::refine {
namespace {

std::string Between(const std::string& text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) quoted += c == quote ? std::string(2, c) : std::string(1, c);
  return quoted + quote;
}

}  // namespace

std::string QuotedName(const std::string& name, Dialect dialect) {
  return Between(name, dialect == Dialect::kSpark ? '`' : '"');
}

std::string QuotedText(const std::string& text, Dialect dialect) {
  if (dialect == Dialect::kDuckDb) return Between(text, '\'');
  if (text.find('\'') == std::string::npos) return '\'' + text + '\'';
  if (text.find('"') == std::string::npos) return '"' + text + '"';
  std::string parts;
  for (size_t at = 0; at < text.size();) {
    const char quote = text[at] == '\'' ? '"' : '\'';
    const size_t end = std::min(text.find(quote, at), text.size());
    parts += (at == 0 ? "" : ", ") + (quote + text.substr(at, end - at) + quote);
    at = end;
  }
  return "concat(" + parts + ")";
}

}  // namespace shopstream::refine
