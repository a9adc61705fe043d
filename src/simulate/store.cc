#include "simulate/store.h"

#include <arrow/io/memory.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error_kind.h"
#include "simulate/faulty_store.h"

namespace shopstream::simulate {
namespace {

constexpr int64_t kUsualMicros = 20'000;
constexpr int64_t kSlowMicros = 3'000'000;
constexpr int64_t kLatestMicros = 40'000'000;

}  // namespace

bool SimulatedStore::Create(const std::string& path, std::shared_ptr<arrow::Buffer> content) {
  const auto [object, created] =
      objects_.try_emplace(path, Object{std::move(content), scheduler_->EpochMillis()});
  if (created && on_create) on_create(path, *object->second.content);
  return created;
}

void SimulatedStore::Write(const std::string& path, std::shared_ptr<arrow::Buffer> content) {
  objects_[path] = {std::move(content), scheduler_->EpochMillis()};
}

class SimulatedStore::Client : public lake::ObjectStore {
 public:
  Client(SimulatedStore* shared, bool for_checks)
      : shared_(shared), scheduler_(shared->scheduler_), for_checks_(for_checks) {}

  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    return Call<std::shared_ptr<arrow::Buffer>>("get", path, nullptr, [this, path] {
      const auto found = shared_->objects_.find(path);
      return found == shared_->objects_.end() ? nullptr : found->second.content;
    });
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(auto content, Get(path));
    if (content == nullptr) return Gone("no object ", path);
    return std::make_shared<arrow::io::BufferReader>(std::move(content));
  }
  Status Put(const std::string& path, const arrow::Buffer& content) override {
    ARROW_ASSIGN_OR_RAISE(auto copy, content.CopySlice(0, content.size()));
    return PutWhole(path, std::move(copy));
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Result<lake::PutOutcome> PutIfAbsent(const std::string& path,
                                       const arrow::Buffer& content) override {
    ARROW_ASSIGN_OR_RAISE(auto copy, content.CopySlice(0, content.size()));
    return Call<lake::PutOutcome>("create", path, copy, [shared = shared_, path, copy] {
      return shared->Create(path, copy) ? lake::PutOutcome::kCreated : lake::PutOutcome::kExists;
    });
  }
  Result<std::vector<lake::ObjectEntry>> List(const std::string& prefix,
                                              const std::string& after) override {
    return Call<std::vector<lake::ObjectEntry>>("list", prefix, nullptr, [this, prefix, after] {
      std::vector<lake::ObjectEntry> entries;
      for (auto it = shared_->objects_.lower_bound(prefix);
           it != shared_->objects_.end() && it->first.starts_with(prefix); ++it) {
        if (it->first <= after) continue;
        entries.push_back({it->first, it->second.content->size(), it->second.modified_ms});
      }
      return entries;
    });
  }
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override {
    const std::string prefix = folder.empty() ? "" : folder + "/";
    ARROW_ASSIGN_OR_RAISE(const auto entries, List(prefix, ""));
    return lake::FoldersBelow(prefix, entries);
  }
  Status Delete(const std::string& path) override {
    return Call<bool>("delete", path, kNoContent,
                      [shared = shared_, path] { return shared->objects_.erase(path) > 0; })
        .status();
  }
  Result<int64_t> Now() override {
    return Call<int64_t>("clock", "", nullptr, [this] { return scheduler_->EpochMillis(); });
  }
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds) override { return 0; }
  std::string Describe() const override { return "the simulated store"; }

 private:
  friend class Output;
  // For a change without bytes that could be torn.
  static inline const std::shared_ptr<arrow::Buffer> kNoContent =
      std::make_shared<arrow::Buffer>(nullptr, 0);

  Status PutWhole(const std::string& path, std::shared_ptr<arrow::Buffer> content) {
    return Call<bool>("put", path, content,
                      [shared = shared_, path, content] {
                        shared->Write(path, content);
                        return true;
                      })
        .status();
  }

  void Tear(const std::string& path, const arrow::Buffer& content) {
    if (content.size() == 0) return;
    auto half = content.CopySlice(0, content.size() / 2).ValueOrDie();
    shared_->Write(TornPath(path), std::move(half));
  }

  // `content`: of a change to the store; null if the call only reads. The `effect` of a change may
  // happen after this client is destroyed.
  template <typename T>
  Result<T> Call(const char* what, const std::string& path,
                 const std::shared_ptr<arrow::Buffer>& content, std::function<T()> effect);

  // The call fails by chance before it has any effect.
  template <typename T>
  Status FailBefore(const std::string& path, const std::shared_ptr<arrow::Buffer>& content,
                    const std::function<T()>& effect);

  SimulatedStore* const shared_;
  Scheduler* const scheduler_;
  const bool for_checks_;
};

template <typename T>
Status SimulatedStore::Client::FailBefore(const std::string& path,
                                          const std::shared_ptr<arrow::Buffer>& content,
                                          const std::function<T()>& effect) {
  Chance* const chance = scheduler_->chance();
  if (chance->Once(shared_->faults.fails_before)) {
    scheduler_->Count("store: call refused");
    return Unavailable("simulated: no answer for ", path);
  }
  if (content == nullptr) return Status::OK();
  if (chance->Once(shared_->faults.tears)) {
    scheduler_->Count("store: torn write");
    Tear(path, *content);
    return Unavailable("simulated: the write of ", path, " broke off");
  }
  if (chance->Once(shared_->faults.lands_late)) {
    scheduler_->Count("store: late write");
    const auto late = std::chrono::microseconds(chance->Below(kLatestMicros));
    scheduler_->At(scheduler_->time() + late, [scheduler = scheduler_, path, effect] {
      scheduler->Note("lands late: " + path);
      effect();
    });
    return Unavailable("simulated: no answer in time for ", path);
  }
  return Status::OK();
}

template <typename T>
Result<T> SimulatedStore::Client::Call(const char* what, const std::string& path,
                                       const std::shared_ptr<arrow::Buffer>& content,
                                       std::function<T()> effect) {
  if (for_checks_ || scheduler_->program() < 0) return effect();
  if (scheduler_->dead()) return Crashed();
  Chance* const chance = scheduler_->chance();
  const int program = scheduler_->program();
  const bool slow = chance->Once(shared_->faults.is_slow);
  const int64_t micros = chance->Below(slow ? kSlowMicros : kUsualMicros);
  const int64_t before = chance->Below(micros + 1);
  scheduler_->Pass(std::chrono::microseconds(before));
  if (scheduler_->dead()) return Crashed();
  if (const auto asleep = shared_->suspend_.find(program);
      content != nullptr && asleep != shared_->suspend_.end()) {
    scheduler_->Count("suspended writer");
    scheduler_->Suspend(program, asleep->second);
    shared_->suspend_.erase(asleep);
    scheduler_->Pass({});
    if (scheduler_->dead()) return Crashed();
  }
  scheduler_->Note(std::string(what) + " " + path);
  if (slow) scheduler_->Count(content != nullptr ? "store: slow write" : "store: slow look");
  const bool crashes = chance->Once(shared_->faults.crashes);
  const int64_t moment = crashes ? chance->Below(3) : -1;
  if (moment == 0) {
    scheduler_->Count("crash before a call");
    scheduler_->Crash(program);
    return Crashed();
  }
  if (moment == 1 && content != nullptr) {
    scheduler_->Count("crash during a write");
    Tear(path, *content);
    scheduler_->Crash(program);
    return Crashed();
  }
  ARROW_RETURN_NOT_OK(FailBefore(path, content, effect));
  T result = effect();
  if (moment == 2) {
    scheduler_->Count("crash after a call");
    scheduler_->Crash(program);
    return Crashed();
  }
  scheduler_->Pass(std::chrono::microseconds(micros - before));
  if (scheduler_->dead()) return Crashed();
  if (chance->Once(shared_->faults.loses_reply)) {
    scheduler_->Count("store: lost reply");
    scheduler_->Note("the reply is lost");
    return Unavailable("simulated: lost the reply for ", path);
  }
  return result;
}

// Collects the pieces, and puts them at Close.
class SimulatedStore::Output : public arrow::io::OutputStream {
 public:
  Output(Client* client, std::string path, std::shared_ptr<arrow::io::BufferOutputStream> pieces)
      : client_(client), path_(std::move(path)), pieces_(std::move(pieces)) {}

  using OutputStream::Write;
  Status Write(const void* data, int64_t size) override { return pieces_->Write(data, size); }
  Status Close() override {
    if (closed()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto content, pieces_->Finish());
    return client_->PutWhole(path_, std::move(content));
  }
  Status Abort() override { return pieces_->Close(); }
  bool closed() const override { return pieces_->closed(); }
  Result<int64_t> Tell() const override { return pieces_->Tell(); }

 private:
  Client* const client_;
  const std::string path_;
  const std::shared_ptr<arrow::io::BufferOutputStream> pieces_;
};

Result<std::shared_ptr<arrow::io::OutputStream>> SimulatedStore::Client::OpenOutput(
    const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto pieces, arrow::io::BufferOutputStream::Create());
  return std::make_shared<Output>(this, path, std::move(pieces));
}

std::unique_ptr<lake::ObjectStore> SimulatedStore::Open(bool for_checks) {
  return std::make_unique<Client>(this, for_checks);
}

}  // namespace shopstream::simulate
