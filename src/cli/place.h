#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "cli/command.h"
#include "lake/store/object_store.h"

// A second root of storage, beside the lake: where backups or archives are. It has the same s3.*
// settings.
namespace shopstream::cli {

// `what`: for messages, "the place of the backups".
Result<std::unique_ptr<lake::ObjectStore>> OpenPlace(const Context& context,
                                                     const std::string& place,
                                                     const std::string& what);

// A path as the file system sees it, absolute; an S3 location as it is. Without a slash at the end.
std::string CanonicalPlace(const std::string& uri);

// Invalid: one is inside the other, so that listings of either would show the other's objects.
// `what`: "the backups".
Status CheckApart(const std::string& lake, const std::string& place, const std::string& what);

// How many objects to copy at the same time.
int CopyThreads(const lake::ObjectStore& one, const lake::ObjectStore& other);

}  // namespace shopstream::cli
