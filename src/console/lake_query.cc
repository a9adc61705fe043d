#include "console/lake_query.h"

#include "refine/all_rows.h"
#include "sql/catalog.h"
#include "sql/engine.h"

namespace shopstream::console {

Result<std::shared_ptr<arrow::RecordBatch>> AskLake(lake::ObjectStore* store, const Config& config,
                                                    const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(const auto catalog, sql::Catalog::Open(store, config));
  ARROW_ASSIGN_OR_RAISE(
      const auto engine,
      sql::Engine::Open({.memory_bytes = int64_t{256} << 20, .threads = 2}));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  ARROW_RETURN_NOT_OK(catalog->Register(sql, session.get()));
  ARROW_ASSIGN_OR_RAISE(auto queries, session->Prepare({sql, "", 1}));
  return refine::AllRows(&queries.front());
}

}  // namespace shopstream::console
