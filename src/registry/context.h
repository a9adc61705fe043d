#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// Contexts are name spaces of subjects, each with its own ids. Subjects in the default context "."
// have their plain name; those in another are ":.context:subject". Names are kept, and compared, in
// this form ("qualified").
namespace shopstream::registry {

inline constexpr const char* kDefaultContext = ".";
inline constexpr std::string_view kAnyContext = ":*:";  // Before the prefix of a list.

struct QualifiedSubject {
  std::string context = kDefaultContext;  // "*": any.
  std::string name;
};
QualifiedSubject SplitSubject(std::string_view qualified);

// ":.:s", which is in the default context, as "s".
std::string NormalizeSubject(std::string_view qualified);
std::string ContextOf(std::string_view qualified);
// The start of every subject in the context: "" or ":.context:".
std::string PrefixOf(const std::string& context);
// A subject that a schema of `parent` names without a context is in that of `parent`.
std::string InContextOf(std::string_view parent, std::string_view subject);

// Whether `scope` includes the subject: "" all of them, in every context; ":.context:" those of the
// context; another one only itself.
bool IsWithin(std::string_view subject, std::string_view scope);

// Whether a subject starts with a prefix of lists, which may begin with a context, or with
// kAnyContext.
bool HasPrefix(const std::string& subject, const std::string& prefix);

// What a request asks for: the parts of its target, as sent.
struct Target {
  std::string path, query;
};
// /contexts/X/rest as the request for `rest` in the context: subjects in the path, ?subject= and
// ?subjectPrefix= that have no context get it. Other targets stay. Nothing: the context is not
// valid.
std::optional<Target> RewriteContext(const Target& target);

// The same for a subject in the path, or in ?subject= of an id, that is another's alias. `alias_of`
// returns the subject that an alias refers to; "" if it is not an alias.
Target RewriteAlias(const Target& target,
                    const std::function<std::string(const std::string&)>& alias_of);

}  // namespace shopstream::registry
