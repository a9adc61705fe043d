#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream {

enum class Encoding {
  kUtf8,
  kLatin1,  // ISO-8859-1.
  kCp1252,  // Windows' Western European: Latin-1 with more letters and signs at 0x80-0x9F.
  kUtf16,   // The byte order mark decides; without one, little-endian.
};

// "utf-8", "latin-1", "cp1252" or "utf-16", and common other spellings; case is ignored.
std::optional<Encoding> ParseEncoding(std::string_view name);
// The names in messages and settings.
const char* NameOf(Encoding encoding);

bool IsUtf8(std::string_view text);

// A byte that UTF-8 never has. It replaces each undecodable unit, so that a UTF-8 check of the
// result finds the place.
inline constexpr char kUndecodable = '\xff';

// The same text in UTF-8. For kUtf8 it is the stream itself. Reads one buffer ahead.
std::shared_ptr<arrow::io::InputStream> ToUtf8(std::shared_ptr<arrow::io::InputStream> stream,
                                               Encoding encoding);

}  // namespace shopstream
