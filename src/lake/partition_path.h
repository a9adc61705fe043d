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
// Null and empty are __HIVE_DEFAULT_PARTITION__. In names and values every byte outside
// A-Z a-z 0-9 - _ . becomes %XX, so that '%' is the only character of the path that a URI escapes:
// Spark's VACUUM compares the log's text of a path with Java's spelling of the listed one, letter
// by letter, and Java keeps other characters than the log's writers do. A name=value above 200
// bytes is cut to 180, and "-" and the value's 64-bit FNV-1a hash in 16 hexadecimal digits follow.
// The log has the value, and readers take it from there.
std::string PartitionFolder(const PartitionValues& values);
// A name in it that no other file has.
std::string NewDataFilePath(const PartitionValues& partition);

// The log writes a path as a relative URI (Delta protocol, "Add File and Remove File"): every byte
// that a URI's path may not hold becomes %XX. Decoding turns any %XX into its byte and keeps what
// is no escape as it stands.
std::string EncodeLogPath(std::string_view path);
std::string DecodeLogPath(std::string_view encoded);

// A partition value of the log as a value of the column's type, and back (Delta protocol,
// "Partition Value Serialization"). Empty is null. Types: string, the integers, float, double,
// decimal, boolean, date, timestamp; others are NotImplemented, text that is no such value Invalid.
Result<std::shared_ptr<arrow::Scalar>> ParsePartitionValue(
    const std::optional<std::string>& text, const std::shared_ptr<arrow::DataType>& type);
Result<std::optional<std::string>> FormatPartitionValue(const arrow::Scalar& value);

}  // namespace shopstream::lake
