#include "simulate/purchases.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>

#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "model/calendar.h"
#include "tables/columns.h"

namespace shopstream::simulate {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr char kLateColumn[] = "late";
constexpr char kVoucherColumn[] = "voucher";

template <typename Builder, typename Value>
Result<std::shared_ptr<arrow::Array>> Column(const std::vector<BronzeRow>& rows,
                                             const std::shared_ptr<arrow::DataType>& type,
                                             const Value& value) {
  Builder builder(type, arrow::default_memory_pool());
  for (const BronzeRow& row : rows) {
    if (const auto item = value(row)) {
      ARROW_RETURN_NOT_OK(builder.Append(*item));
    } else {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    }
  }
  return builder.Finish();
}

// The columns of a batch in the making.
class Columns {
 public:
  explicit Columns(const std::vector<BronzeRow>& rows) : rows_(rows) {}

  template <typename Value>
  Status Text(const char* name, const Value& value) {
    return Add(name, Column<arrow::StringBuilder>(rows_, arrow::utf8(), value));
  }
  template <typename Builder, typename Value>
  Status Number(const char* name, const std::shared_ptr<arrow::DataType>& type,
                const Value& value) {
    return Add(name, Column<Builder>(rows_, type, value));
  }
  template <typename Value>
  Status Time(const char* name, const Value& millis) {
    const auto micros = [&](const BronzeRow& row) {
      const std::optional<int64_t> value = millis(row);
      return value ? std::optional(*value * 1000) : std::nullopt;
    };
    return Add(name, Column<arrow::TimestampBuilder>(rows_, tables::Instant(), micros));
  }
  std::shared_ptr<arrow::RecordBatch> Batch() {
    return arrow::RecordBatch::Make(arrow::schema(fields_), std::ssize(rows_), arrays_);
  }

 private:
  Status Add(const char* name, Result<std::shared_ptr<arrow::Array>> array) {
    ARROW_RETURN_NOT_OK(array.status());
    fields_.push_back(arrow::field(name, (*array)->type()));
    arrays_.push_back(*std::move(array));
    return Status::OK();
  }

  const std::vector<BronzeRow>& rows_;
  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

Status AddPurchase(const MoreColumns& more, Columns* columns) {
  const auto of = [](auto Purchase::*member) {
    return [member](const BronzeRow& row) { return row.purchase.*member; };
  };
  ARROW_RETURN_NOT_OK(columns->Text("event_id", of(&Purchase::event_id)));
  ARROW_RETURN_NOT_OK(
      columns->Number<arrow::Int64Builder>("user_id", arrow::int64(), of(&Purchase::user_id)));
  ARROW_RETURN_NOT_OK(columns->Text("product_id", of(&Purchase::product_id)));
  ARROW_RETURN_NOT_OK(columns->Text("product_name", of(&Purchase::product_name)));
  ARROW_RETURN_NOT_OK(
      columns->Number<arrow::Int64Builder>("quantity", arrow::int64(), of(&Purchase::quantity)));
  ARROW_RETURN_NOT_OK(
      columns->Number<arrow::DoubleBuilder>("amount", arrow::float64(), of(&Purchase::amount)));
  ARROW_RETURN_NOT_OK(columns->Text("currency", of(&Purchase::currency)));
  ARROW_RETURN_NOT_OK(columns->Time(
      "timestamp", [](const BronzeRow& row) { return std::optional(row.purchase.timestamp_ms); }));
  if (more.late) ARROW_RETURN_NOT_OK(columns->Text(kLateColumn, of(&Purchase::late)));
  if (more.voucher) ARROW_RETURN_NOT_OK(columns->Text(kVoucherColumn, of(&Purchase::voucher)));
  return Status::OK();
}

Status AddCoordinates(Columns* columns) {
  const auto from_kafka = [](auto value) {
    return [value](const BronzeRow& row) {
      return row.offset ? std::optional(value(row)) : std::nullopt;
    };
  };
  const auto topic = from_kafka([](const BronzeRow&) { return std::string("purchases"); });
  const auto topic_id = from_kafka([](const BronzeRow& row) { return row.topic_id; });
  const auto partition = from_kafka([](const BronzeRow& row) { return row.partition; });
  const auto offset = [](const BronzeRow& row) { return row.offset; };
  const auto kafka_time = [](const BronzeRow& row) { return row.purchase.kafka_timestamp_ms; };
  ARROW_RETURN_NOT_OK(columns->Text(tables::kTopic, topic));
  ARROW_RETURN_NOT_OK(columns->Text(tables::kTopicId, topic_id));
  ARROW_RETURN_NOT_OK(
      columns->Number<arrow::Int32Builder>(tables::kPartition, arrow::int32(), partition));
  ARROW_RETURN_NOT_OK(
      columns->Number<arrow::Int64Builder>(tables::kOffset, arrow::int64(), offset));
  ARROW_RETURN_NOT_OK(columns->Time(tables::kTimestamp, kafka_time));
  const auto schema_id = from_kafka([](const BronzeRow&) { return int32_t{1}; });
  ARROW_RETURN_NOT_OK(
      columns->Number<arrow::Int32Builder>(tables::kSchemaId, arrow::int32(), schema_id));
  return columns->Time(tables::kIngestedAt, kafka_time);
}

std::string DateOf(int64_t timestamp_ms) {
  const int64_t days = timestamp_ms / kDayMs - (timestamp_ms % kDayMs < 0 ? 1 : 0);
  return FormatDate(static_cast<int32_t>(days));
}

}  // namespace

Result<BronzeRows> MakeBronzeRows(const std::vector<BronzeRow>& rows, const MoreColumns& more) {
  Columns columns(rows);
  ARROW_RETURN_NOT_OK(AddPurchase(more, &columns));
  ARROW_RETURN_NOT_OK(AddCoordinates(&columns));
  BronzeRows made{.rows = columns.Batch(), .partitions = {}};
  std::map<PartitionValues, std::vector<int32_t>> groups;
  for (size_t row = 0; row < rows.size(); ++row) {
    const Purchase& purchase = rows[row].purchase;
    groups[{{"region", purchase.region}, {"date", DateOf(purchase.timestamp_ms)}}].push_back(
        static_cast<int32_t>(row));
  }
  for (auto& [values, positions] : groups) {
    made.partitions.push_back({values, std::move(positions)});
  }
  return made;
}

lake::TableSpec BronzeSpec(const std::string& path, const MoreColumns& more) {
  arrow::FieldVector fields = MakeBronzeRows({}, more)->rows->schema()->fields();
  fields.push_back(arrow::field("region", arrow::utf8()));
  fields.push_back(arrow::field("date", arrow::date32()));
  return {.path = path,
          .schema = arrow::schema(std::move(fields)),
          .partition_columns = {"region", "date"},
          .properties = {}};
}

Purchase PurchaseMaker::Make(int64_t now_ms, const MoreColumns& more) {
  Purchase purchase = !made_.empty() && chance_->Once(0.12) ? Again(now_ms) : New(now_ms);
  purchase.kafka_timestamp_ms = now_ms;
  if (chance_->Once(0.01)) purchase.kafka_timestamp_ms.reset();
  if (more.late && chance_->Once(0.7)) purchase.late = chance_->Once(0.5) ? "a bit" : "";
  if (more.voucher && chance_->Once(0.7)) purchase.voucher = "V" + std::to_string(next_id_);
  purchase.quarantined = chance_->Once(0.06);
  return purchase;
}

Purchase PurchaseMaker::New(int64_t now_ms) {
  static constexpr const char* kRegions[] = {"US", "EU", "ASIA"};
  static constexpr const char* kCurrencies[] = {"USD", "EUR", "JPY"};
  Purchase purchase;
  purchase.event_id = "e" + std::to_string(next_id_++);
  purchase.user_id = static_cast<int32_t>(chance_->Between(1, 12));
  purchase.region = kRegions[chance_->Below(3)];
  const std::string product = std::to_string(chance_->Between(1, 8));
  purchase.product_id = "P" + product;
  purchase.product_name = (chance_->Once(0.1) ? "New thing " : "Thing ") + product;
  purchase.quantity = chance_->Between(1, 5);
  purchase.amount = static_cast<double>(chance_->Between(1, 20'000)) / 100;
  purchase.currency = kCurrencies[chance_->Below(3)];
  purchase.timestamp_ms =
      chance_->Once(0.06) ? LateTime(now_ms) : now_ms - chance_->Below(20 * 60'000);
  if (chance_->Once(0.15)) Spoil(&purchase);
  made_.push_back(purchase);
  return purchase;
}

Purchase PurchaseMaker::Again(int64_t now_ms) {
  const int64_t newest = std::min<int64_t>(std::ssize(made_), chance_->Once(0.7) ? 20 : 10'000);
  Purchase purchase = made_[made_.size() - 1 - static_cast<size_t>(chance_->Below(newest))];
  const int64_t kind = chance_->Below(10);
  if (kind < 6) return purchase;
  if (kind == 6) {
    // The same purchase, with or without a mistake.
    Spoil(&purchase);
  } else if (kind == 7) {
    purchase.region = "US";
  } else {
    // Of another date, mostly.
    purchase.timestamp_ms = LateTime(now_ms);
  }
  return purchase;
}

int64_t PurchaseMaker::LateTime(int64_t now_ms) {
  return now_ms - chance_->Below(chance_->Once(0.5) ? 3 * 3'600'000 : 8 * kDayMs);
}

void PurchaseMaker::Spoil(Purchase* purchase) {
  static constexpr double kAmounts[] = {0,
                                        -5.25,
                                        1e300,
                                        1e12,
                                        1e-16,
                                        10.005,
                                        0.145,
                                        -1e12,
                                        99.995,
                                        2.675,
                                        99'999'999.99,
                                        1e8,
                                        std::numeric_limits<double>::quiet_NaN(),
                                        std::numeric_limits<double>::infinity()};
  static constexpr int64_t kQuantities[] = {
      0, -3, 1000, 1001, std::numeric_limits<int64_t>::max(), 1'000'000'000};
  switch (chance_->Below(9)) {
    case 0:
    case 1:
    case 2:
      purchase->amount = kAmounts[chance_->Below(std::ssize(kAmounts))];
      return;
    case 3:
      purchase->quantity = kQuantities[chance_->Below(std::ssize(kQuantities))];
      return;
    case 4:
      purchase->currency = chance_->Once(0.5) ? "XXX" : "CHF";
      return;
    case 5:
      purchase->product_id = chance_->Once(0.5) ? "Q-7" : "P99";
      return;
    default:
      break;
  }
  switch (chance_->Below(8)) {
    case 0:
      return purchase->event_id.reset();
    case 1:
      return purchase->user_id.reset();
    case 2:
      return purchase->region.reset();
    case 3:
      purchase->product_name.reset();
      return purchase->product_id.reset();
    case 4:
      return purchase->quantity.reset();
    case 5:
      return purchase->amount.reset();
    case 6:
      return purchase->currency.reset();
    default:
      return purchase->product_name.reset();
  }
}

}  // namespace shopstream::simulate
