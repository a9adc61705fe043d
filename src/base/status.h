#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

// The one error style: a message says what failed, on what (topic, partition, offset, path), and
// how to fix it. Expected outcomes have their own types and are never errors.
namespace shopstream {

using arrow::Result;
using arrow::Status;

}  // namespace shopstream
