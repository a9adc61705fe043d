#pragma once

#include <string>
#include <string_view>

namespace shopstream::lake {

// A path as Java's URI spells it, `new org.apache.hadoop.fs.Path(path).toUri().toString()`: letters
// of any script stand for themselves, and so do the characters that RFC 2396 allows in a path; all
// other ASCII, spaces and control characters of any script become %XX. Bytes that are no UTF-8
// become U+FFFD, so that no such path comes back.
std::string JavaSpelling(std::string_view path);

// Whether Spark's VACUUM recognises the file that the log names so when it lists the table's
// folder. It compares texts, and deletes what it does not recognise.
bool SparkRecognises(std::string_view log_path);

}  // namespace shopstream::lake
