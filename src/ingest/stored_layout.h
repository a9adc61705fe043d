#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "ingest/layout_options.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

struct BronzeLayout;

// The text of the property shopstream.layout; see tables::TableLayout.
std::string LayoutText(const BronzeLayout& layout);

// Invalid: the table is partitioned by other fields than the options name. Also checks tables of
// earlier versions, whose partition columns have the names of their fields.
Status CheckPartitionFields(const lake::Snapshot& table, const LayoutOptions& options);

// Invalid: the table has a decimal of more than 38 digits as another type than the layout.
Status CheckWideDecimals(const lake::Snapshot& table, const BronzeLayout& layout);

// The record's field of each column of the table that has one, by its path; nothing for tables
// without a reader schema.
Result<std::map<std::string, std::string>> FieldsOfColumns(const lake::Snapshot& table);

// A warning if the event time of the options is not the one that the table was created with: the
// dates of old and new rows then differ in meaning. Empty: it is, or the table does not store it.
std::string WarnOfEventTime(const lake::Snapshot& table, const LayoutOptions& options);

}  // namespace shopstream::ingest
