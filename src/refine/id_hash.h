#pragma once

#include <arrow/type_fwd.h>

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::refine {

// A secret: whoever produces events chooses their ids, and must not be able to make hashes meet.
using HashKey = std::array<uint64_t, 2>;

struct Hash128 {
  uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};

// SipHash-2-4 with 128 bits of result (Aumasson and Bernstein), but never {0, 0}.
Hash128 HashOf(const HashKey& key, std::string_view bytes);

// One hash per row of its values in all of the columns, in this order; equal exactly if all values
// are equal, null included. Booleans, integers, floating-point numbers, dates, times, decimals,
// texts, binary; NotImplemented: a column of another type.
Result<std::vector<Hash128>> HashRows(const HashKey& key,
                                      const std::vector<std::shared_ptr<arrow::Array>>& columns);

}  // namespace shopstream::refine
