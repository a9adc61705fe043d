#pragma once

#include <string>

namespace shopstream::refine {

// The engines that read our SQL. They differ in how names are quoted, and in little else.
enum class Dialect { kDuckDb, kSpark };

// A name that is taken as it is: "a" or `a`.
std::string QuotedName(const std::string& name, Dialect dialect);
// An expression whose value is the text. In Spark with spark.sql.parser.escapedStringLiterals,
// where a backslash stands for itself, and no quote can be within quotes of its kind.
std::string QuotedText(const std::string& text, Dialect dialect);

}  // namespace shopstream::refine
