// Decoding and encoding of purchases on one core. Every event_id and amount differs, since repeated
// text would flatter the results. items_per_second is events per second.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/memory_pool.h>
#include <arrow/table_builder.h>
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/schema.h"
#include "model/purchase_event.h"

namespace shopstream::avro {
namespace {

// A cut under load.
constexpr int64_t kRows = 200'000;
constexpr int64_t kEncodeBatch = 4'096;
constexpr int64_t kFirstMillis = 1'761'264'000'000;  // 2025-10-24T00:00:00Z.

template <typename T>
T OrDie(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "codec_bench: %s\n", result.status().ToString().c_str());
    std::exit(1);
  }
  return std::move(result).ValueUnsafe();
}

void OrDie(const Status& status) { OrDie(status.ok() ? Result<int>(0) : Result<int>(status)); }

Schema PurchaseSchema() {
  std::ifstream file(SHOPSTREAM_SOURCE_DIR "/schemas/purchase_event.avsc");
  return OrDie(Schema::Parse(std::string(std::istreambuf_iterator<char>(file), {})));
}

std::string Uuid(std::mt19937_64* random) {
  std::array<char, 37> text;
  const uint64_t high = (*random)();
  const uint64_t low = (*random)();
  std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-%04x-%012llx",
                static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16 & 0xFFFF),
                static_cast<unsigned>(high & 0xFFF), static_cast<unsigned>(low >> 48 & 0xFFFF),
                static_cast<unsigned long long>(low & 0xFFFFFFFFFFFF));
  return text.data();
}

// Purchases whose encoding takes about 95 bytes.
class Purchases {
 public:
  std::shared_ptr<arrow::RecordBatch> Make(int64_t rows) {
    for (int64_t row = 0; row < rows; ++row) Append(row);
    return OrDie(builder_->Flush());
  }

 private:
  template <typename Builder, typename T>
  void Put(int column, T value) {
    OrDie(static_cast<Builder*>(builder_->GetField(column))->Append(value));
  }

  void Append(int64_t row) {
    static constexpr std::array kRegions = {"US", "EU", "ASIA"};
    static constexpr std::array kCurrencies = {"USD", "EUR", "JPY"};
    static constexpr std::array kNames = {
        "Espresso cups, set of 4, white", "Wireless mouse 2.4 GHz", "Trail shoes 42",
        "Desk lamp with wireless charger", "Cotton shirt, blue, M"};
    const auto draw = random_();
    Put<arrow::StringBuilder>(0, Uuid(&random_));
    Put<arrow::Int32Builder>(1, static_cast<int32_t>(draw % 100'000));
    Put<arrow::StringBuilder>(2, kRegions[draw % 3]);
    Put<arrow::StringBuilder>(3, "P" + std::to_string(1000 + draw % 9000));
    Put<arrow::StringBuilder>(4, kNames[draw % kNames.size()]);
    Put<arrow::Int32Builder>(5, static_cast<int32_t>(draw % 5 + 1));
    Put<arrow::DoubleBuilder>(6, static_cast<double>(draw % 1'000'000) / 100);
    Put<arrow::StringBuilder>(7, kCurrencies[draw % 3]);
    Put<arrow::TimestampBuilder>(8, kFirstMillis + row);
  }

  std::mt19937_64 random_{1};
  std::unique_ptr<arrow::RecordBatchBuilder> builder_ =
      OrDie(arrow::RecordBatchBuilder::Make(PurchaseEventSchema(), arrow::default_memory_pool()));
};

const std::shared_ptr<arrow::RecordBatch>& Events() {
  static const std::shared_ptr<arrow::RecordBatch> events = Purchases().Make(kRows);
  return events;
}

// One cut: columns are filled from empty, handed over and dropped.
void DecodePurchases(benchmark::State& state) {
  const Schema schema = PurchaseSchema();
  const Encoder encoder = OrDie(Encoder::Compile(*PurchaseEventSchema(), schema));
  const Decoder decoder = OrDie(Decoder::Compile(schema, schema));
  EncodedRows encoded;
  OrDie(encoder.Encode(*Events(), {}, &encoded));
  Columns columns(OrDie(ToArrowSchema(schema)));
  for (auto _ : state) {
    for (int64_t row = 0; row < kRows; ++row) {
      if (decoder.Decode(encoded.Row(row), &columns) != DecodeResult::kRow) {
        return state.SkipWithError("an event did not decode");
      }
    }
    benchmark::DoNotOptimize(OrDie(columns.Finish()));
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["bytes_per_event"] =
      static_cast<double>(encoded.bytes.size()) / static_cast<double>(kRows);
}
BENCHMARK(DecodePurchases)->Unit(benchmark::kMillisecond);

void EncodePurchases(benchmark::State& state) {
  const Encoder encoder = OrDie(Encoder::Compile(*PurchaseEventSchema(), PurchaseSchema()));
  constexpr std::array<uint8_t, 5> kPrefix = {0, 0, 0, 0, 1};
  EncodedRows encoded;
  for (auto _ : state) {
    for (int64_t row = 0; row < kRows; row += kEncodeBatch) {
      OrDie(encoder.Encode(*Events()->Slice(row, kEncodeBatch), kPrefix, &encoded));
      benchmark::DoNotOptimize(encoded.bytes.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(EncodePurchases)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace shopstream::avro

BENCHMARK_MAIN();
