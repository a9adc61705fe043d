#include "refine/lookup_tables.h"

#include <memory>
#include <string>

#include "refine/rules.h"

namespace shopstream::refine {
namespace {

Status RegisterLookup(const std::string& name, const std::shared_ptr<arrow::RecordBatch>& lookup,
                      sql::MemoryRows* source, sql::Session* session) {
  ARROW_RETURN_NOT_OK(source->Set(lookup));
  ARROW_RETURN_NOT_OK(session->Register("file_" + name, source));
  return session->Run("CREATE TABLE " + name + " AS SELECT * FROM file_" + name);
}

}  // namespace

LookupTables::LookupTables(const Lookups& lookups)
    : lookups_(lookups),
      rates_(lookups.rates->schema(), lookups.rates->num_rows()),
      categories_(lookups.categories->schema(), lookups.categories->num_rows()) {}

Status LookupTables::Register(sql::Session* session) {
  ARROW_RETURN_NOT_OK(RegisterLookup(kRatesTable, lookups_.rates, &rates_, session));
  return RegisterLookup(kCategoriesTable, lookups_.categories, &categories_, session);
}

}  // namespace shopstream::refine
