#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shopstream::avro {

// Takes the place of an op; represents the item it was at.
inline constexpr char kItemMark = '\x01';

// The place of an op with the names of the items it was at, as people read it: "lines[3].price".
// `items` has a kItemMark and a name for each list around, the innermost first.
std::string FillItems(std::string_view place, std::string items);

// "[3]", and ["color"] for a key of a map, which may be any text.
std::string NameOfItem(int64_t number);
std::string NameOfItem(std::string_view key);

}  // namespace shopstream::avro
