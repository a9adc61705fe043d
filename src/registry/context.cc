#include "registry/context.h"

#include <utility>
#include <vector>

#include "base/http_query.h"

namespace shopstream::registry {
namespace {

bool HasContext(std::string_view subject) {
  return subject.starts_with(":.") || subject.starts_with(kAnyContext);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// ":.lab:", ".lab" and "lab" all mean ":.lab:", which is encoded again. Nothing: not the name of
// one context.
std::optional<std::string> ParsePrefix(std::string context) {
  if (context.starts_with(':')) context.erase(0, 1);
  if (context.ends_with(':')) context.pop_back();
  if (context.find(':') != std::string::npos) return std::nullopt;
  if (!context.starts_with('.')) context.insert(0, ".");
  return PercentEncode(PrefixOf(context));
}

// Each value of `name` gets the prefix; without any, an empty one does if `needed`.
std::string PrefixQuery(std::string_view query, std::string_view name, const std::string& prefix,
                        bool needed) {
  std::string out;
  bool found = false;
  const auto add = [&](std::string_view pair) {
    if (!out.empty()) out += '&';
    out += pair;
  };
  for (const std::string_view pair : Split(query, '&')) {
    const std::string_view key = pair.substr(0, pair.find('='));
    const std::string value = QueryValue(pair, name);
    if (PercentDecode(key) != name || HasContext(value)) {
      found = found || PercentDecode(key) == name;
      add(pair);
      continue;
    }
    found = true;
    const size_t equals = pair.find('=');
    const auto rest = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    add(std::string(name) + "=" + prefix + std::string(rest));
  }
  if (!found && needed) add(std::string(name) + "=" + prefix);
  return out;
}

}  // namespace

QualifiedSubject SplitSubject(std::string_view qualified) {
  if (qualified.starts_with(kAnyContext)) {
    return {"*", std::string(qualified.substr(kAnyContext.size()))};
  }
  if (!qualified.starts_with(":.")) return {kDefaultContext, std::string(qualified)};
  const size_t end = qualified.find(':', 1);
  if (end == std::string_view::npos) return {std::string(qualified.substr(1)), ""};
  return {std::string(qualified.substr(1, end - 1)), std::string(qualified.substr(end + 1))};
}

std::string PrefixOf(const std::string& context) {
  return context == kDefaultContext ? "" : ":" + context + ":";
}

std::string NormalizeSubject(std::string_view qualified) {
  if (!HasContext(qualified)) return std::string(qualified);
  const QualifiedSubject parts = SplitSubject(qualified);
  return PrefixOf(parts.context) + parts.name;
}

std::string ContextOf(std::string_view qualified) { return SplitSubject(qualified).context; }

std::string InContextOf(std::string_view parent, std::string_view subject) {
  if (HasContext(subject)) return NormalizeSubject(subject);
  return PrefixOf(ContextOf(parent)) + std::string(subject);
}

bool IsWithin(std::string_view subject, std::string_view scope) {
  if (subject == scope || scope.empty()) return true;
  return SplitSubject(scope).name.empty() && ContextOf(scope) == ContextOf(subject);
}

bool HasPrefix(const std::string& subject, const std::string& prefix) {
  const QualifiedSubject wanted = SplitSubject(prefix);
  const QualifiedSubject parts = SplitSubject(subject);
  if (wanted.context != "*" && wanted.context != parts.context) return false;
  return parts.name.starts_with(wanted.name);
}

std::optional<Target> RewriteContext(const Target& target) {
  const std::vector<std::string_view> parts = Split(target.path, '/');
  if (parts.size() < 3 || parts[0] != "contexts") return target;
  const auto prefix = ParsePrefix(PercentDecode(parts[1]));
  if (!prefix) return std::nullopt;
  Target out{"", target.query};
  bool subject_follows = false;
  for (size_t i = 2; i < parts.size(); ++i) {
    out.path += "/";
    if (std::exchange(subject_follows, false) && !HasContext(PercentDecode(parts[i]))) {
      out.path += *prefix;
    }
    out.path += parts[i];
    const bool settings = i == 2 && (parts[i] == "config" || parts[i] == "mode");
    subject_follows = parts[i] == "subjects" || settings;
  }
  if (parts.size() == 3 && (parts[2] == "config" || parts[2] == "mode")) {
    if (!prefix->empty()) out.path += "/" + *prefix;
  } else if (parts[2] == "schemas" && parts.size() > 3 && parts[3] == "ids") {
    out.query = PrefixQuery(target.query, "subject", *prefix, true);
  } else if (parts.size() == 3) {
    out.query = PrefixQuery(target.query, "subjectPrefix", *prefix, true);
  }
  return out;
}

Target RewriteAlias(const Target& target,
                    const std::function<std::string(const std::string&)>& alias_of) {
  const auto replace = [&](std::string_view sent) {
    const std::string subject = NormalizeSubject(PercentDecode(sent));
    const std::string alias = alias_of(subject);
    return alias.empty() ? std::string(sent) : PercentEncode(InContextOf(subject, alias));
  };
  const std::vector<std::string_view> parts = Split(target.path, '/');
  Target out{"", target.query};
  bool subject_follows = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    out.path += "/";
    out.path += std::exchange(subject_follows, false) ? replace(parts[i]) : std::string(parts[i]);
    subject_follows = parts[i] == "subjects" && (i == 0 || parts[i - 1] == "compatibility");
  }
  const std::string subject = QueryValue(target.query, "subject");
  if (parts.size() > 2 && parts[0] == "schemas" && !subject.empty()) {
    const std::string alias = alias_of(NormalizeSubject(subject));
    // The first value counts.
    if (!alias.empty())
      out.query = "subject=" + PercentEncode(InContextOf(subject, alias)) + "&" + target.query;
  }
  return out;
}

}  // namespace shopstream::registry
