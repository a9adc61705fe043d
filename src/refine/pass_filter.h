#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/parquet/file_predicate.h"
#include "model/offset_range.h"
#include "refine/pass_plan.h"
#include "tables/coordinates.h"
#include "tables/replayed_offsets.h"

namespace shopstream::refine {

// Decides by a row's coordinates alone whether it belongs to a pass.
class PassFilter {
 public:
  // `bronze`: the version that is read, where more may have been replayed than the plan knows.
  static Result<PassFilter> Of(const PassPlan& plan, const lake::Snapshot& bronze);

  bool Takes(const tables::Coordinates& at) const;

  // Every row that it takes satisfies this, and not many more do. `without_coordinates`: so does
  // every row that lacks one.
  lake::FilePredicate Outline(bool without_coordinates) const;

 private:
  struct Topic {
    std::unordered_map<int32_t, OffsetRange> ranges;
    tables::ReplayedOffsets replayed;  // Outside of the ranges.
    tables::ReplayedOffsets later;     // Replayed after the plan was made.
  };

  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace shopstream::refine
