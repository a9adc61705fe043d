// The cost of writing rows like Bronze's as a data file, on one core, without a disk.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lake/parquet/parquet_file.h"
#include "simulate/memory_store.h"

namespace shopstream::lake {
namespace {

using simulate::MemoryStore;

// Generates one value per row. Every event_id is distinct: repeated ids would flatter the results.
class Rows {
 public:
  explicit Rows(int64_t count) : count_(count) {}

  std::shared_ptr<arrow::RecordBatch> Make() {
    const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    Add("event_id", Text([this](int64_t) { return Uuid(); }));
    Add("user_id", Int64([this](int64_t) { return Below(50000); }));
    Add("product_id", Text([this](int64_t) { return "P" + std::to_string(1000 + Product()); }));
    Add("product_name",
        Text([this](int64_t) { return "Wireless Headphones " + std::to_string(Product()); }));
    Add("quantity", Int64([this](int64_t) { return 1 + Below(4); }));
    Add("amount",
        Double([this](int64_t) { return static_cast<double>(100 + Below(50000)) / 100; }));
    Add("currency", Text([](int64_t) { return std::string("USD"); }));
    Add("timestamp", Int64([this](int64_t i) { return kStart + i * 1000 + Below(60) * 1000; }),
        time);
    Add("kafka_topic", Text([](int64_t) { return std::string("shopstream-purchases"); }));
    Add("kafka_topic_id", Text([](int64_t) { return std::string("a1TQ8Y3xTxubKzXJj1pkVw"); }));
    Add("kafka_partition", Int32([this](int64_t) { return Below(3); }));
    Add("kafka_offset", Int64([](int64_t i) { return i / 3; }));
    Add("kafka_timestamp", Int64([](int64_t i) { return kStart + i / 300 * 1000; }), time);
    Add("schema_id", Int32([](int64_t) { return 1; }));
    Add("ingested_at", Int64([](int64_t) { return kStart; }), time);
    return arrow::RecordBatch::Make(arrow::schema(fields_), count_, columns_);
  }

 private:
  static constexpr int64_t kStart = 1761264000000000;  // 2025-10-24

  void Add(const std::string& name, const std::shared_ptr<arrow::Array>& column,
           const std::shared_ptr<arrow::DataType>& type = nullptr) {
    fields_.push_back(arrow::field(name, type ? type : column->type()));
    columns_.push_back(type ? column->View(type).ValueOrDie() : column);
  }
  template <typename Builder, typename Value>
  std::shared_ptr<arrow::Array> Build(const Value& value) {
    Builder builder;
    for (int64_t i = 0; i < count_; ++i) {
      if (!builder.Append(value(i)).ok()) std::abort();
    }
    return builder.Finish().ValueOrDie();
  }
  template <typename Value>
  std::shared_ptr<arrow::Array> Text(const Value& value) {
    return Build<arrow::StringBuilder>(value);
  }
  template <typename Value>
  std::shared_ptr<arrow::Array> Int64(const Value& value) {
    return Build<arrow::Int64Builder>(value);
  }
  template <typename Value>
  std::shared_ptr<arrow::Array> Int32(const Value& value) {
    return Build<arrow::Int32Builder>(value);
  }
  template <typename Value>
  std::shared_ptr<arrow::Array> Double(const Value& value) {
    return Build<arrow::DoubleBuilder>(value);
  }

  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }
  // Popular products occur far more often than others.
  int64_t Product() { return Below(1 + Below(1 + Below(500))); }
  std::string Uuid() {
    char text[37];
    const uint64_t a = random_();
    const uint64_t b = random_();
    std::snprintf(text, sizeof(text), "%08x-%04x-4%03x-a%03x-%012llx",
                  static_cast<uint32_t>(a >> 32), static_cast<uint32_t>(a >> 16 & 0xffff),
                  static_cast<uint32_t>(a & 0xfff), static_cast<uint32_t>(b >> 52),
                  static_cast<unsigned long long>(b & 0xffffffffffff));
    return text;
  }

  const int64_t count_;
  std::mt19937_64 random_{42};
  arrow::FieldVector fields_;
  arrow::ArrayVector columns_;
};

void BM_WriteDataFile(benchmark::State& state) {
  const auto rows = Rows(state.range(0)).Make();
  MemoryStore store;
  int64_t file_bytes = 0;
  for (auto _ : state) {
    const auto file = WriteDataFile(&store, "bronze-events", {{"region", "US"}}, rows);
    if (!file.ok()) return state.SkipWithError(file.status().ToString().c_str());
    file_bytes = file->size_bytes;
    if (!store.Delete("bronze-events/" + file->path).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * rows->num_rows());
  state.counters["bytes_per_row"] =
      static_cast<double>(file_bytes) / static_cast<double>(rows->num_rows());
}
BENCHMARK(BM_WriteDataFile)->Arg(50)->Arg(1000)->Arg(100000)->Arg(400000)->UseRealTime();

// A third of a batch of interleaved partitions, as ingest writes it.
void BM_WriteSelectedRows(benchmark::State& state) {
  const auto rows = Rows(state.range(0) * 3).Make();
  std::vector<int32_t> selected;
  for (int32_t i = 0; i < state.range(0); ++i) selected.push_back(3 * i + i % 3);
  MemoryStore store;
  for (auto _ : state) {
    const auto file = WriteDataFile(&store, "bronze-events", {{"region", "US"}}, rows, selected);
    if (!file.ok()) return state.SkipWithError(file.status().ToString().c_str());
    if (!store.Delete("bronze-events/" + file->path).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_WriteSelectedRows)->Arg(100000)->UseRealTime();

// One column at a time, to see where the time goes.
void BM_WriteColumn(benchmark::State& state) {
  const auto all = Rows(200000).Make();
  const auto one = all->SelectColumns({static_cast<int>(state.range(0))}).ValueOrDie();
  MemoryStore store;
  int64_t file_bytes = 0;
  for (auto _ : state) {
    const auto file = WriteDataFile(&store, "bronze-events", {{"region", "US"}}, one);
    if (!file.ok()) return state.SkipWithError(file.status().ToString().c_str());
    file_bytes = file->size_bytes;
    if (!store.Delete("bronze-events/" + file->path).ok()) std::abort();
  }
  state.SetLabel(one->schema()->field(0)->name());
  state.SetItemsProcessed(state.iterations() * one->num_rows());
  state.counters["bytes_per_row"] =
      static_cast<double>(file_bytes) / static_cast<double>(one->num_rows());
}
BENCHMARK(BM_WriteColumn)->DenseRange(0, 14)->UseRealTime();

}  // namespace
}  // namespace shopstream::lake

BENCHMARK_MAIN();
