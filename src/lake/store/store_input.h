#pragma once

#include <arrow/io/interfaces.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"

namespace shopstream::lake {

// A file of a store whose failures keep the store's message and error kind, so that a reader can
// distinguish storage that does not answer from damaged bytes. `failure` converts an error of
// `file` to the store's; it is called from any thread that reads.
std::shared_ptr<arrow::io::RandomAccessFile> MakeStoreInput(
    std::shared_ptr<arrow::io::RandomAccessFile> file,
    std::function<Status(const Status&)> failure);

// The file, with `bytes` growing by what is read of it. Borrowed; outlives the file.
std::shared_ptr<arrow::io::RandomAccessFile> CountReads(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::atomic<int64_t>* bytes);

// Adds the path that was read to the error, unless it is the store's, which already names it.
Status CannotRead(const std::string& path, const Status& error);

}  // namespace shopstream::lake
