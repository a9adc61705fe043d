#include "registry/context.h"

#include <gtest/gtest.h>

namespace shopstream::registry {
namespace {

TEST(ContextTest, SubjectsAreSplitAndNormalized) {
  EXPECT_EQ(".lab", ContextOf(":.lab:a:b"));
  EXPECT_EQ("a:b", SplitSubject(":.lab:a:b").name);
  EXPECT_EQ(".", ContextOf("a:.b:c"));
  EXPECT_EQ("a", NormalizeSubject(":.:a"));
  EXPECT_EQ(":.lab:", NormalizeSubject(":.lab"));
  EXPECT_EQ(":.lab:b", InContextOf(":.lab:a", "b"));
  EXPECT_EQ("b", InContextOf("a", "b"));
  EXPECT_EQ(":.own:b", InContextOf(":.lab:a", ":.own:b"));
}

TEST(ContextTest, APrefixIsOfOneContextOrOfAny) {
  EXPECT_TRUE(HasPrefix("orders", "ord"));
  EXPECT_FALSE(HasPrefix(":.lab:orders", "ord"));
  EXPECT_TRUE(HasPrefix(":.lab:orders", ":.lab:ord"));
  EXPECT_FALSE(HasPrefix(":.lab:orders", ":.la:"));
  EXPECT_TRUE(HasPrefix(":.lab:orders", ":*:"));
  EXPECT_TRUE(HasPrefix("orders", ":*:ord"));
}

TEST(ContextTest, AScopeIsASubjectAContextOrAll) {
  EXPECT_TRUE(IsWithin("a", ""));
  EXPECT_TRUE(IsWithin(":.lab:a", ""));
  EXPECT_TRUE(IsWithin(":.lab:a", ":.lab:"));
  EXPECT_FALSE(IsWithin("a", ":.lab:"));
  EXPECT_TRUE(IsWithin("a", "a"));
  EXPECT_FALSE(IsWithin(":.lab:a", "a"));
}

TEST(ContextTest, TargetsWithinAContextGetItsPrefix) {
  const auto rewritten = [](const std::string& path, const std::string& query = "") {
    const auto target = RewriteContext({path, query});
    return target ? target->path + (target->query.empty() ? "" : "?" + target->query) : "none";
  };
  EXPECT_EQ("/subjects/:.lab:a%2Fb/versions", rewritten("/contexts/.lab/subjects/a%2Fb/versions"));
  EXPECT_EQ("/subjects/:.lab:s", rewritten("/contexts/:.lab:/subjects/s"));
  EXPECT_EQ("/subjects/:.own:s", rewritten("/contexts/lab/subjects/:.own:s"));
  EXPECT_EQ("/compatibility/subjects/:.lab:s/versions/latest",
            rewritten("/contexts/lab/compatibility/subjects/s/versions/latest"));
  EXPECT_EQ("/config/:.lab:", rewritten("/contexts/lab/config"));
  EXPECT_EQ("/mode/:.lab:s", rewritten("/contexts/lab/mode/s"));
  EXPECT_EQ("/config", rewritten("/contexts/:.:/config"));
  EXPECT_EQ("/subjects?subjectPrefix=:.lab:", rewritten("/contexts/lab/subjects"));
  EXPECT_EQ("/subjects?deleted=true&subjectPrefix=:.lab:o%20r",
            rewritten("/contexts/lab/subjects", "deleted=true&subjectPrefix=o%20r"));
  EXPECT_EQ("/subjects?subjectPrefix=", rewritten("/contexts/:.:/subjects"));
  EXPECT_EQ("/schemas/ids/7?subject=:.lab:", rewritten("/contexts/lab/schemas/ids/7"));
  EXPECT_EQ("/schemas/ids/7?subject=:.own:s",
            rewritten("/contexts/lab/schemas/ids/7", "subject=:.own:s"));
  EXPECT_EQ("/contexts/lab", rewritten("/contexts/lab"));
  EXPECT_EQ("/subjects/contexts", rewritten("/subjects/contexts"));
  EXPECT_EQ("/subjects?subjectPrefix=:.a%26b:", rewritten("/contexts/.a%26b/subjects"));
  EXPECT_EQ("/subjects/:.a%2Fb%3F:s/versions", rewritten("/contexts/a%2Fb%3F/subjects/s/versions"));
  EXPECT_EQ("/config/:.a%20b:", rewritten("/contexts/a%20b/config"));
  EXPECT_EQ("/schemas/ids/7?subject=:.a%2Bb:s",
            rewritten("/contexts/a%2Bb/schemas/ids/7", "subject=s"));
  EXPECT_EQ("none", rewritten("/contexts/a:b/subjects"));
}

TEST(ContextTest, AliasesAreReplacedOnce) {
  const auto alias_of = [](const std::string& subject) -> std::string {
    if (subject == "a/b") return "c d";
    if (subject == ":.lab:a") return "b";
    return subject == "c d" ? "e" : "";
  };
  const auto rewritten = [&](const std::string& path, const std::string& query = "") {
    const Target target = RewriteAlias({path, query}, alias_of);
    return target.path + "?" + target.query;
  };
  EXPECT_EQ("/subjects/c%20d/versions?", rewritten("/subjects/a%2Fb/versions"));
  EXPECT_EQ("/compatibility/subjects/:.lab:b/versions?",
            rewritten("/compatibility/subjects/:.lab:a/versions"));
  EXPECT_EQ("/config/a%2Fb?", rewritten("/config/a%2Fb"));
  EXPECT_EQ("/subjects/x?", rewritten("/subjects/x"));
  EXPECT_EQ("/schemas/ids/1?subject=c%20d&subject=a/b", rewritten("/schemas/ids/1", "subject=a/b"));
}

}  // namespace
}  // namespace shopstream::registry
