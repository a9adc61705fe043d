#pragma once

#include <arrow/scalar.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/data_file.h"

namespace shopstream::lake {

// The folder of a partition, Hive-style: "region=US/date=2025-10-24", "" without partition columns.
// Null and empty become __HIVE_DEFAULT_PARTITION__. In names and values every byte outside A-Z a-z
// 0-9 - _ . becomes %XX, so that '%' is the only character of the path that a URI escapes: Spark's
// VACUUM compares the path in the log with Java's spelling of the listed path, character by
// character, and Java escapes other characters than the log's writers do. A name=value above 200
// bytes is cut to 180, followed by "-" and the value's 64-bit FNV-1a hash in 16 hexadecimal digits.
// Readers take the value from the log, but Polars takes it from the folder, so ingest
// quarantines records whose folder name would be cut.
std::string PartitionFolder(const PartitionValues& values);
// A unique name in that folder.
std::string NewDataFilePath(const PartitionValues& partition);

// The log writes a path as a relative URI (Delta protocol, "Add File and Remove File"): every byte
// not allowed in a URI's path becomes %XX. Decoding turns any %XX into its byte and keeps
// everything else.
std::string EncodeLogPath(std::string_view path);
std::string DecodeLogPath(std::string_view encoded);

// Converts a partition value of the log to a value of the column's type, and back (Delta protocol,
// "Partition Value Serialization"). Empty is null. Types: string, the integers, float, double,
// decimal, boolean, date, timestamp; others are NotImplemented, unparsable text is Invalid.
Result<std::shared_ptr<arrow::Scalar>> ParsePartitionValue(
    const std::optional<std::string>& text, const std::shared_ptr<arrow::DataType>& type);
Result<std::optional<std::string>> FormatPartitionValue(const arrow::Scalar& value);

}  // namespace shopstream::lake
