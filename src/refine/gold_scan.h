#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "refine/dates.h"
#include "refine/gold_sources.h"
#include "sql/engine.h"
#include "sql/lake_rows.h"
#include "sql/session.h"

namespace shopstream::refine {

// An engine in which silver_events and silver_rejects are the rows of the sources up to a pass,
// whatever passes came later. One thread.
class GoldScan {
 public:
  static Result<std::unique_ptr<GoldScan>> Open(const GoldSources& sources, int64_t pass,
                                                const sql::EngineOptions& options);

  // From the next statement on, only the rows of these dates.
  void NarrowTo(const std::vector<Date>& dates);
  sql::Session* session() { return session_.get(); }

 private:
  explicit GoldScan(const GoldSources& sources)
      : silver_(sources.store, sources.silver_path, sources.silver),
        rejects_(sources.store, sources.rejects_path, sources.rejects) {}

  sql::LakeRows silver_, rejects_;  // Destroyed after the engine.
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
};

}  // namespace shopstream::refine
