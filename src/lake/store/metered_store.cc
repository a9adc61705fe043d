#include "lake/store/metered_store.h"

#include <utility>

#include "base/metric.h"

namespace shopstream::lake {
namespace {

// One kind of request.
struct Meter {
  Histogram& seconds;
  Counter& failures;
};

template <typename Request>
auto Measured(Meter& meter, const Request& request) {
  const Stopwatch watch(&meter.seconds);
  auto outcome = request();
  if (!outcome.ok()) meter.failures.Add();
  return outcome;
}

class MeteredStore : public ObjectStore {
 public:
  explicit MeteredStore(std::unique_ptr<ObjectStore> store) : store_(std::move(store)) {}

  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    return Measured(get_, [&] { return store_->Get(path); });
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override {
    return Measured(open_input_, [&] { return store_->OpenInput(path); });
  }
  Status Put(const std::string& path, const arrow::Buffer& content) override {
    put_bytes_.Add(content.size());
    return Measured(put_, [&] { return store_->Put(path, content); });
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override {
    return Measured(open_output_, [&] { return store_->OpenOutput(path); });
  }
  Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) override {
    put_bytes_.Add(content.size());
    return Measured(put_if_absent_, [&] { return store_->PutIfAbsent(path, content); });
  }
  Result<std::vector<ObjectEntry>> List(const std::string& prefix,
                                        const std::string& after) override {
    return Measured(list_, [&] { return store_->List(prefix, after); });
  }
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override {
    return Measured(list_, [&] { return store_->ListFolders(folder); });
  }
  Status Delete(const std::string& path) override {
    return Measured(delete_, [&] { return store_->Delete(path); });
  }
  Result<int64_t> Now() override { return store_->Now(); }
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) override {
    return store_->RemoveAbandonedWrites(min_age);
  }
  std::string Describe() const override { return store_->Describe(); }
  bool IsRemote() const override { return store_->IsRemote(); }
  int ParallelPuts() const override { return store_->ParallelPuts(); }

 private:
  Meter MeterOf(const char* operation) {
    return {seconds_.With({operation}), failures_.With({operation})};
  }

  const std::unique_ptr<ObjectStore> store_;
  Histograms seconds_{"shopstream_store_request_seconds",
                      "Duration of a request to the lake's storage, by operation",
                      {"operation"}};
  Counters failures_{"shopstream_store_failures_total",
                     "Requests to the lake's storage that failed, by operation",
                     {"operation"}};
  Counter put_bytes_{"shopstream_store_put_bytes_total", "Bytes of objects given to storage"};
  Meter get_ = MeterOf("get"), put_ = MeterOf("put"), put_if_absent_ = MeterOf("put_if_absent"),
        open_input_ = MeterOf("open_input"), open_output_ = MeterOf("open_output"),
        list_ = MeterOf("list"), delete_ = MeterOf("delete");
};

}  // namespace

std::unique_ptr<ObjectStore> Metered(std::unique_ptr<ObjectStore> store) {
  return std::make_unique<MeteredStore>(std::move(store));
}

}  // namespace shopstream::lake
