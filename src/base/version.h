#pragma once

namespace shopstream {

inline constexpr char kVersion[] = "shopstream 0.1.0";

}  // namespace shopstream
