#pragma once

#include <string>
#include <string_view>

namespace shopstream::lake {

// A path in the spelling of Java's URI, `new org.apache.hadoop.fs.Path(path).toUri().toString()`:
// letters of any script are kept, and so are the characters that RFC 2396 allows in a path; all
// other ASCII, spaces and control characters of any script become %XX. Bytes that are not UTF-8
// become U+FFFD, so that such a path does not survive.
std::string JavaSpelling(std::string_view path);

// Whether Spark's VACUUM, when it lists the table's folder, recognises the file with this name in
// the log. It compares texts, and deletes files that it does not recognise.
bool SparkRecognises(std::string_view log_path);

}  // namespace shopstream::lake
