#pragma once

#include <nlohmann/json_fwd.hpp>

#include "console/masking.h"
#include "observe/quarantine_page.h"
#include "records/record_json.h"
#include "tables/quarantined_row.h"

namespace shopstream::console {

// A row of the list: {"partition": 0, "offset": 7, "cause": "corrupt", "replayed": false, ...}.
// If anything is masked, the details that can have a value of the record are hidden.
nlohmann::ordered_json QuarantinedJson(const tables::QuarantinedRow& row,
                                       const observe::ReplayedByTopic& replayed,
                                       const Masking& masking);

// The same with key, headers and bytes, which are hidden if anything is masked, and with what the
// value decodes to now: `value`, or `error`.
nlohmann::ordered_json QuarantinedRecordJson(const tables::QuarantinedRow& row,
                                             const observe::ReplayedByTopic& replayed,
                                             const Masking& masking,
                                             records::RecordDecoder* decoder);

}  // namespace shopstream::console
