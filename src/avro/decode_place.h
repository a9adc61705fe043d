#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shopstream::avro {

// Stands for a list item in the place of an op.
inline constexpr char kItemMark = '\x01';

// The place of an op with the item marks replaced by names, for people to read: "lines[3].price".
// `items` has a kItemMark and a name for each enclosing list, the innermost first.
std::string FillItems(std::string_view place, std::string items);

// "[3]" for an item of a list, ["color"] for a key of a map, which may be any text.
std::string NameOfItem(int64_t number);
std::string NameOfItem(std::string_view key);

}  // namespace shopstream::avro
