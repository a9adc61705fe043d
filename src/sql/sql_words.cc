#include "sql/sql_words.h"

#include <algorithm>
#include <cctype>

#include "base/format.h"

namespace shopstream::sql {
namespace {

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
}

// Where a quoted text that begins at `at` ends; a doubled quote does not end it.
size_t EndOfQuoted(std::string_view text, size_t at) {
  const size_t end = text.find(text[at], at + 1);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// Where a text like E'it\'s' ends, whose quote is at `at`: a backslash escapes the next sign.
size_t EndOfEscaped(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '\'') {
      return i + 1;
    }
  }
  return text.size();
}

// Where the comment that begins at `at` ends; `at` if none does. Comments nest.
size_t EndOfComment(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("--")) return std::min(text.find('\n', at), text.size());
  if (!rest.starts_with("/*")) return at;
  int depth = 0;
  for (size_t i = at; i + 1 < text.size(); ++i) {
    const std::string_view two = text.substr(i, 2);
    if (two == "/*") ++depth;
    if (two == "*/") --depth;
    if (two == "/*" || two == "*/") ++i;
    if (depth == 0) return i + 1;
  }
  return text.size();
}

// "$tag$" at the beginning of a text in dollar quotes; otherwise empty.
std::string_view DollarQuote(std::string_view rest) {
  size_t end = 1;
  while (end < rest.size() && IsWordByte(rest[end])) ++end;
  const bool is_quote = end < rest.size() && rest[end] == '$' &&
                        (end == 1 || std::isdigit(static_cast<unsigned char>(rest[1])) == 0);
  return is_quote ? rest.substr(0, end + 1) : std::string_view();
}

struct Token {
  size_t begin, end;
  enum class Kind { kSign, kSpace, kText } kind;  // kSpace: or a comment.
};

// The token that begins at `at`, which is not the end.
Token TokenAt(std::string_view text, size_t at) {
  const char c = text[at];
  using Kind = Token::Kind;
  if (const size_t end = EndOfComment(text, at); end > at) return {at, end, Kind::kSpace};
  if (c == '\'') return {at, EndOfQuoted(text, at), Kind::kText};
  if (c == '"') return {at, EndOfQuoted(text, at), Kind::kSign};
  if ((c == 'E' || c == 'e') && text.substr(at + 1).starts_with('\'')) {
    return {at, EndOfEscaped(text, at + 1), Kind::kText};
  }
  if (c == '$' && !DollarQuote(text.substr(at)).empty()) {
    const std::string_view quote = DollarQuote(text.substr(at));
    const size_t close = text.find(quote, at + quote.size());
    return {at, close == std::string_view::npos ? text.size() : close + quote.size(), Kind::kText};
  }
  size_t end = at + 1;
  while (IsWordByte(c) && end < text.size() && IsWordByte(text[end])) ++end;
  const bool is_space = std::isspace(static_cast<unsigned char>(c)) != 0;
  return {at, end, is_space ? Kind::kSpace : Kind::kSign};
}

std::string InCapitals(std::string_view word) {
  std::string capitals(word);
  std::ranges::transform(capitals, capitals.begin(), [](unsigned char byte) {
    return static_cast<char>(byte < 0x80 ? std::toupper(byte) : byte);
  });
  return capitals;
}

}  // namespace

std::vector<std::string> SqlWords(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const Token token = TokenAt(text, at);
    at = token.end;
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    const char first = word.front();
    if (token.kind != Token::Kind::kSign) continue;
    if (first == '"') words.emplace_back(word);
    if (IsWordByte(first)) words.push_back(InCapitals(word));
    if (first == '(' || first == ')' || first == ';') words.emplace_back(word);
  }
  return words;
}

std::string WithQuoted(std::string_view text, std::string_view word) {
  std::string quoted;
  for (size_t at = 0; at < text.size();) {
    const Token token = TokenAt(text, at);
    at = token.end;
    const std::string_view part = text.substr(token.begin, token.end - token.begin);
    const bool is_word = token.kind == Token::Kind::kSign && InCapitals(part) == word;
    quoted += is_word ? '"' + ToLower(std::string(word)) + '"' : std::string(part);
  }
  return quoted;
}

std::vector<SqlText> SplitStatements(const SqlText& sql) {
  std::vector<SqlText> statements;
  const std::string_view text = sql.text;
  size_t begin = 0;
  const auto add = [&](size_t end) {
    const std::string_view statement = text.substr(begin, end - begin);
    const auto lines = std::ranges::count(text.substr(0, begin), '\n');
    if (!SqlWords(statement).empty()) {
      statements.push_back(
          {std::string(statement), sql.file, sql.first_line + static_cast<int>(lines)});
    }
    begin = end + 1;
  };
  for (size_t at = 0; at < text.size();) {
    const Token token = TokenAt(text, at);
    at = token.end;
    if (token.kind == Token::Kind::kSign && text[token.begin] == ';') add(token.begin);
  }
  if (begin < text.size()) add(text.size());
  return statements;
}

bool EndsStatement(std::string_view text) {
  bool ends = false;
  for (size_t at = 0; at < text.size();) {
    const Token token = TokenAt(text, at);
    at = token.end;
    if (token.kind == Token::Kind::kSpace) continue;
    ends = token.kind == Token::Kind::kSign && text[token.begin] == ';';
  }
  return ends;
}

std::string_view WithoutExplain(std::string_view text) {
  size_t at = 0;
  // The next word or sign, in capitals; empty at the end.
  const auto next = [&](bool take) {
    size_t position = at;
    while (position < text.size()) {
      const Token token = TokenAt(text, position);
      position = token.end;
      if (token.kind == Token::Kind::kSpace) continue;
      if (take) at = position;
      return InCapitals(text.substr(token.begin, token.end - token.begin));
    }
    return std::string();
  };
  if (next(false) != "EXPLAIN") return text;
  next(true);
  if (next(false) == "ANALYZE") next(true);
  const size_t options = at;
  if (next(true) != "(" || (next(false) != "FORMAT" && next(false) != "ANALYZE")) {
    return text.substr(options);
  }
  while (at < text.size() && next(true) != ")") continue;
  return text.substr(at);
}

}  // namespace shopstream::sql
