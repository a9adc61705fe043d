#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

// The one error style: a message says what failed, on what (topic, partition, offset, path), and
// what to do. Expected outcomes are values of their own types, never errors.
namespace shopstream {

using arrow::Result;
using arrow::Status;

}  // namespace shopstream
