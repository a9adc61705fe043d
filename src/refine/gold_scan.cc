#include "refine/gold_scan.h"

#include <string>

#include "refine/columns.h"

namespace shopstream::refine {
namespace {

std::string UpToPass(const std::string& view, const std::string& table, int64_t pass) {
  return "CREATE VIEW " + view + " AS SELECT * FROM " + table + " WHERE " + kRefinePass +
         " <= " + std::to_string(pass);
}

}  // namespace

Result<std::unique_ptr<GoldScan>> GoldScan::Open(const GoldSources& sources, int64_t pass,
                                                 const sql::EngineOptions& options) {
  auto scan = std::unique_ptr<GoldScan>(new GoldScan(sources));
  ARROW_ASSIGN_OR_RAISE(scan->engine_, sql::Engine::Open(options));
  ARROW_ASSIGN_OR_RAISE(scan->session_, scan->engine_->Connect());
  sql::Session& session = *scan->session_;
  ARROW_RETURN_NOT_OK(session.Register("all_silver", &scan->silver_));
  ARROW_RETURN_NOT_OK(session.Register("all_rejects", &scan->rejects_));
  ARROW_RETURN_NOT_OK(session.Run(UpToPass("silver_events", "all_silver", pass)));
  ARROW_RETURN_NOT_OK(session.Run(UpToPass("silver_rejects", "all_rejects", pass)));
  return scan;
}

void GoldScan::NarrowTo(const std::vector<Date>& dates) {
  silver_.Narrow(OfDates(dates));
  rejects_.Narrow(OfDates(dates));
}

}  // namespace shopstream::refine
