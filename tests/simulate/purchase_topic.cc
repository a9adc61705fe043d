#include "simulate/purchase_topic.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "avro/schema.h"
#include "ingest/bronze_layout.h"
#include "ingest/pipeline.h"
#include "ingest/quarantine_replay.h"
#include "ingest/testing.h"
#include "lake/delta/table.h"
#include "simulate/refine_world.h"
#include "tables/columns.h"

namespace shopstream::simulate {
namespace {

using ingest::testing::AppendLong;

constexpr char kPurchaseTopic[] = "purchases";
constexpr int32_t kNotRegistered = 100;  // Added to the id of a schema.
constexpr int kSchemaIds = 4;

int32_t SchemaId(const MoreColumns& more) {
  return 1 + (more.late ? 1 : 0) + (more.voucher ? 2 : 0);
}

std::string SchemaText(int32_t id) {
  const auto field = [](const std::string& name, const std::string& type) {
    return R"({"name": ")" + name + R"(", "type": ["null", )" + type + "]}";
  };
  const std::string text = R"("string")", whole = R"("long")";
  std::string fields = field("event_id", text) + "," + field("user_id", R"("int")") + "," +
                       field("region", text) + "," + field("product_id", text) + "," +
                       field("product_name", text) + "," + field("quantity", whole) + "," +
                       field("amount", R"("double")") + "," + field("currency", text) +
                       R"(, {"name": "timestamp",
                            "type": {"type": "long", "logicalType": "timestamp-millis"}})";
  if (((id - 1) & 1) != 0) fields += "," + field("late", text);
  if (((id - 1) & 2) != 0) fields += "," + field("voucher", text);
  return R"({"type": "record", "name": "Purchase", "fields": [)" + fields + "]}";
}

// Whether it has a value.
template <typename T>
bool AppendBranch(const std::optional<T>& value, std::string* out) {
  AppendLong(value ? 1 : 0, out);
  return value.has_value();
}
void AppendText(const std::optional<std::string>& value, std::string* out) {
  if (!AppendBranch(value, out)) return;
  AppendLong(static_cast<int64_t>(value->size()), out);
  out->append(*value);
}
template <typename T>
void AppendWhole(const std::optional<T>& value, std::string* out) {
  if (AppendBranch(value, out)) AppendLong(*value, out);
}
void AppendDouble(const std::optional<double>& value, std::string* out) {
  if (!AppendBranch(value, out)) return;
  const auto bits = std::bit_cast<uint64_t>(*value);
  for (int byte = 0; byte < 8; ++byte) out->push_back(static_cast<char>(bits >> (8 * byte)));
}

std::string Encoded(const Purchase& purchase, const MoreColumns& more) {
  const int32_t id = SchemaId(more) + (purchase.quarantined ? kNotRegistered : 0);
  std::string value = {0, 0, 0, 0, static_cast<char>(id)};
  AppendText(purchase.event_id, &value);
  AppendWhole(purchase.user_id, &value);
  AppendText(purchase.region, &value);
  AppendText(purchase.product_id, &value);
  AppendText(purchase.product_name, &value);
  AppendWhole(purchase.quantity, &value);
  AppendDouble(purchase.amount, &value);
  AppendText(purchase.currency, &value);
  AppendLong(purchase.timestamp_ms, &value);
  if (more.late) AppendText(purchase.late, &value);
  if (more.voucher) AppendText(purchase.voucher, &value);
  return value;
}

}  // namespace

PurchaseTopic::PurchaseTopic(Scheduler* scheduler, int partitions)
    : kafka_(scheduler, kPurchaseTopic, partitions),
      registry_(scheduler, std::string(kPurchaseTopic) + "-value") {
  layout_.table = kBronzeTable;
  layout_.partition_values = {};
  registry_.Register(1, SchemaText(1));
}

Status PurchaseTopic::CreateTables(lake::ObjectStore* store) const {
  ARROW_ASSIGN_OR_RAISE(const auto schema, avro::Schema::Parse(SchemaText(1)));
  ARROW_ASSIGN_OR_RAISE(const auto layout, ingest::BronzeLayout::Make(schema, layout_));
  for (lake::TableSpec spec : {layout.table, tables::QuarantineSpec(layout_.quarantine_table)}) {
    spec.properties["delta.checkpointInterval"] = "8";
    spec.properties["delta.logRetentionDuration"] = "interval 3 hours";
    ARROW_RETURN_NOT_OK(lake::Table::Create(store, spec));
  }
  return Status::OK();
}

void PurchaseTopic::Recreate(int partitions) {
  kafka_.DeleteTopic();
  kafka_.CreateTopic(partitions);
}

void PurchaseTopic::Produce(int32_t partition, const Purchase& purchase, const MoreColumns& more) {
  registry_.Register(SchemaId(more), SchemaText(SchemaId(more)));
  kafka_.Produce(partition, std::nullopt, Encoded(purchase, more),
                 purchase.kafka_timestamp_ms.value_or(purchase.timestamp_ms),
                 /*in_transaction=*/false);
}

Status PurchaseTopic::Ingest(lake::ObjectStore* store, bool until_caught_up,
                             const std::function<bool()>& stop) {
  ARROW_ASSIGN_OR_RAISE(const ingest::OpenLake lake,
                        ingest::OpenOrCreateLake(store, &registry_, kPurchaseTopic, layout_, stop));
  const auto records = kafka_.OpenSource();
  const auto topics = kafka_.OpenMetadata();
  const ingest::IngestSettings settings{
      .topic = kPurchaseTopic,
      .cut = {.batch_size = 40, .commit_interval = Millis{1500}, .batch_timeout = Millis{4000}},
      .maintenance = std::nullopt};
  ingest::IngestStats stats;
  const auto end = ingest::IngestInto(
      lake, {.records = records.get(), .topics = topics.get(), .registry = &registry_}, settings,
      until_caught_up, &stats, stop);
  return end.status();
}

Status PurchaseTopic::Replay(lake::ObjectStore* store, const std::function<bool()>& stop) {
  for (int32_t id = 1; id <= kSchemaIds; ++id) {
    registry_.RegisterElsewhere(kNotRegistered + id, SchemaText(id));
  }
  ingest::QuarantineReplay::Options options;
  options.batch_rows = 7;
  options.stop = stop;
  return ingest::ReplayQuarantine(store, &registry_, kPurchaseTopic, layout_, {}, options).status();
}

}  // namespace shopstream::simulate
