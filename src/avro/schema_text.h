#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::avro {

// Schema texts are JSON in which Avro's Java library also takes comments, /* */ and //, before and
// within the document, but not after it.

// The text with each comment replaced by spaces, so that positions stay. Invalid names the byte of
// a comment that does not end, or that follows the document.
Result<std::string> WithoutComments(std::string_view text);

// Invalid if brackets nest deeper than `most`; code that walks the values recurses.
Status CheckJsonDepth(std::string_view text, int most);

}  // namespace shopstream::avro
