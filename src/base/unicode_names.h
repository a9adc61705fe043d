#pragma once

#include <string>
#include <string_view>

namespace shopstream {

// Whether Avro's Java library takes it as a name without namespace: a letter or _, then letters,
// digits and _. Letters and digits are Java's, of any script, in the Basic Multilingual Plane.
bool IsSimpleName(std::string_view utf8);

// Each character in its lower-case form, if that is one character; others stay. Bytes that are not
// UTF-8 stay too. Names that become equal are equal to engines that ignore case.
std::string FoldCase(std::string_view utf8);

}  // namespace shopstream
