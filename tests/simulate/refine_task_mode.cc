#include "simulate/refine_task_mode.h"

#include <string>

#include "simulate/refine_world.h"
#include "tables/refine_task.h"

namespace shopstream::simulate {

refine::RefineMode TaskMode(const RefineAction& action, int32_t today) {
  const auto days_ago = [today](int64_t days) { return today - static_cast<int32_t>(days); };
  refine::RefineMode mode;
  if (action.deed == RefineDeed::kRetain) {
    constexpr const char* kTables[] = {kBronzeTable, kSilverTable, kRejectsTable};
    mode.task = tables::RefineTask{.kind = tables::TaskKind::kRetain,
                                   .table = kTables[action.amount % 3],
                                   .horizon = days_ago(1 + action.amount / 3)};
    return mode;
  }
  if (action.deed == RefineDeed::kErase) {
    mode.task = tables::RefineTask{.kind = tables::TaskKind::kErase,
                                   .predicate = "user_id = " + std::to_string(action.amount)};
    return mode;
  }
  mode.restate = refine::DatesToRestate{};
  if (action.amount < kAllDates) {
    mode.restate->from = days_ago(action.amount);
    mode.restate->to = *mode.restate->from + 2;
  }
  return mode;
}

}  // namespace shopstream::simulate
