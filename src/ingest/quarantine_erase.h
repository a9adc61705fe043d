#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "ingest/layout_options.h"
#include "lake/store/object_store.h"
#include "registry/schema_source.h"
#include "tables/quarantine_choice.h"

namespace shopstream::ingest {

struct QuarantineEraseOptions {
  int64_t open_partitions = 500;  // See QuarantineDecoder.
  Millis commit_deadline{10'000};
};

// Removes the chosen rows from quarantine: by key, by their copies elsewhere, and by the row that
// the record is now, if it belongs to the topic and can be decoded. One commit, or none if nothing
// is chosen. Nothing is done if there is no quarantine.
//
// Unavailable: storage or the registry gives no answer, or another writer was faster; nothing was
// done. Cancelled: `choice.search.stop` returned true, likewise.
Result<tables::QuarantineErased> EraseFromQuarantine(lake::ObjectStore* store,
                                                     registry::SchemaSource* registry,
                                                     const std::string& topic,
                                                     const LayoutOptions& layout_options,
                                                     const tables::QuarantineChoice& choice,
                                                     const QuarantineEraseOptions& options);

// The same as configured, each time with a store and a registry of its own.
tables::EraseQuarantine ConfiguredQuarantineErase(const Config& config);

}  // namespace shopstream::ingest
