#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/chance.h"

// Purchases as a shop's Bronze table has them, for histories of refine.
namespace shopstream::simulate {

struct Purchase {
  std::optional<std::string> event_id;
  std::optional<int32_t> user_id;
  std::optional<std::string> region, product_id, product_name;
  std::optional<int64_t> quantity;
  std::optional<double> amount;
  std::optional<std::string> currency;
  int64_t timestamp_ms = 0;
  std::optional<int64_t> kafka_timestamp_ms;
  std::optional<std::string> late;  // Of a column that is added later, named like one of refine's.
  std::optional<std::string> voucher;  // Likewise, with a name of its own.
  bool quarantined = false;            // Ingest cannot decode it; a replay can.
};

// A row of Bronze. Without an offset: another program appended it.
struct BronzeRow {
  Purchase purchase;
  std::string topic_id;
  int32_t partition = 0;
  std::optional<int64_t> offset;
};

// What columns Bronze has beside those of every purchase.
struct MoreColumns {
  bool late = false;
  bool voucher = false;
};

lake::TableSpec BronzeSpec(const std::string& path, const MoreColumns& more);

// Without partition columns, which say where each row belongs.
struct BronzeRows {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<lake::PartitionRows> partitions;
};
Result<BronzeRows> MakeBronzeRows(const std::vector<BronzeRow>& rows, const MoreColumns& more);

// Makes purchases up: mostly good ones; copies of earlier ones on the same date or another one;
// late ones; and values that no rule or computation should stumble over.
class PurchaseMaker {
 public:
  explicit PurchaseMaker(Chance* chance) : chance_(chance) {}

  Purchase Make(int64_t now_ms, const MoreColumns& more);

 private:
  Purchase New(int64_t now_ms);
  // Another copy of an earlier purchase, or one that only has its id.
  Purchase Again(int64_t now_ms);
  void Spoil(Purchase* purchase);
  int64_t LateTime(int64_t now_ms);

  Chance* const chance_;
  std::vector<Purchase> made_;
  int64_t next_id_ = 1;
};

}  // namespace shopstream::simulate
