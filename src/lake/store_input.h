#pragma once

#include <arrow/io/interfaces.h>

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"

namespace shopstream::lake {

// A file of a store whose failures carry the store's own words and error kind, so that a reader can
// tell storage that does not answer from bytes that are damaged. `failure` turns an error of `file`
// into the store's; it is called from whatever thread reads.
std::shared_ptr<arrow::io::RandomAccessFile> MakeStoreInput(
    std::shared_ptr<arrow::io::RandomAccessFile> file,
    std::function<Status(const Status&)> failure);

// The error with the path that was read, unless it is the store's, which names it already.
Status CannotRead(const std::string& path, const Status& error);

}  // namespace shopstream::lake
