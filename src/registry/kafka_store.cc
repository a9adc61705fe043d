#include "registry/kafka_store.h"

#include <arrow/util/logging.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/error_kind.h"
#include "base/log.h"
#include "base/retry.h"
#include "kafka/admin.h"

namespace shopstream::registry {
namespace {

constexpr Millis kPollPause{100};
constexpr size_t kLargestBatch = 64;  // Writes in one transaction.
constexpr Millis kBrokerTimeout{5000};
constexpr int kReplicas = 3;
// Limit of a batch, which contains more than its records.
constexpr int64_t kMaxMessageBytes = kafka::kMaxLogEntryBytes + (64 << 10);

Millis Left(BootClock::time_point deadline) {
  const auto left = std::chrono::duration_cast<Millis>(deadline - BootClock::now());
  return std::max(left, Millis{0});
}

Status CheckTopic(const kafka::TopicState& topic) {
  if (topic.partitions.size() != 1) {
    return Status::Invalid(
        "topic ", topic.name, " has ", topic.partitions.size(),
        " partitions, but a registry's log has 1: move its records to a topic of ",
        "one partition, or delete it");
  }
  const auto policy = topic.configs.find("cleanup.policy");
  if (policy != topic.configs.end() && policy->second != "compact") {
    return Status::Invalid("topic ", topic.name, " has cleanup.policy=", policy->second,
                           ", under which Kafka deletes schemas: set it to compact");
  }
  return Status::OK();
}

kafka::TopicSettings TopicFor(const std::string& name, size_t brokers) {
  const int replicas = std::clamp(static_cast<int>(brokers), 1, kReplicas);
  if (replicas < kReplicas) {
    Log::Warn("topic {} is created with only {} replicas: no more brokers are up", name, replicas);
  }
  return {.name = name,
          .partitions = 1,
          .replication_factor = replicas,
          .configs = {{"cleanup.policy", "compact"},
                      {"max.message.bytes", std::to_string(kMaxMessageBytes)},
                      {"min.insync.replicas", replicas == kReplicas ? "2" : "1"}}};
}

bool IsRefused(const Status& status) {
  return !status.ok() && KindOf(status) == ErrorKind::kRefused;
}

// A topic created by another registry has Kafka's default, too small for a 1 MB schema.
void RaiseMessageBound(kafka::Admin& admin, const kafka::TopicState& topic) {
  const auto bound = topic.configs.find("max.message.bytes");
  if (bound == topic.configs.end() || std::stoll(bound->second) >= kMaxMessageBytes) return;
  const Status raised =
      admin.SetTopicConfigs(topic.name, {{"max.message.bytes", std::to_string(kMaxMessageBytes)}});
  if (raised.ok()) return;
  Log::Warn("topic {} accepts records of at most {} bytes, so larger schemas will be refused: {}",
            topic.name, bound->second, raised.message());
}

}  // namespace

KafkaStore::KafkaStore(KafkaConfig config, KafkaStoreOptions options)
    : config_(std::move(config)), options_(std::move(options)) {}

std::unique_ptr<KafkaStore> KafkaStore::Start(KafkaConfig config, KafkaStoreOptions options) {
  std::unique_ptr<KafkaStore> store(new KafkaStore(std::move(config), std::move(options)));
  store->follower_ = std::thread([raw = store.get()] { raw->Follow(); });
  store->writing_ = std::thread([raw = store.get()] { raw->WriteBatches(); });
  return store;
}

KafkaStore::~KafkaStore() {
  stop_.Request();
  {
    std::lock_guard lock(queue_mutex_);
    queued_.notify_all();
  }
  follower_.join();
  writing_.join();
}

Status KafkaStore::Failure() const {
  std::lock_guard lock(progress_mutex_);
  return failure_;
}

Status KafkaStore::Ready() const {
  std::lock_guard lock(progress_mutex_);
  ARROW_RETURN_NOT_OK(failure_);
  if (start_end_ >= 0 && position_ >= start_end_) return Status::OK();
  if (start_end_ < 0) {
    return Unavailable("topic ", options_.topic, " at ", config_.bootstrap_servers,
                       " has not been reached yet");
  }
  return Unavailable("topic ", options_.topic, " has been read to offset ", position_, " of ",
                     start_end_);
}

Status KafkaStore::Whole() const {
  std::lock_guard lock(progress_mutex_);
  if (unreadable_.empty()) return Status::OK();
  const auto& [key, reason] = *unreadable_.begin();
  return Unavailable(unreadable_.size(), " of the records in topic ", options_.topic,
                     " cannot be read: ", reason,
                     "; because they may contain ids, nothing is written and no id is reported as "
                     "unknown: write a "
                     "correct record, or a null value, under the same key");
}

Status KafkaStore::Writable() const {
  std::lock_guard lock(progress_mutex_);
  return write_refusal_;
}

// OK: the last write succeeded.
void KafkaStore::NoteRefusal(const Status& refusal) {
  std::lock_guard lock(progress_mutex_);
  if (write_refusal_.ok() && !refusal.ok()) {
    Log::Warn("the registry cannot write and serves reads only: {}", refusal.message());
  }
  write_refusal_ = refusal;
}

std::string KafkaStore::ClusterId() const {
  std::lock_guard lock(progress_mutex_);
  return cluster_id_;
}

// Another registry may create it at the same time; use whatever exists afterwards.
Status KafkaStore::EnsureTopic() {
  const std::string& name = options_.topic;
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(config_, kBrokerTimeout));
  ARROW_ASSIGN_OR_RAISE(auto cluster, admin->DescribeCluster());
  {
    std::lock_guard lock(progress_mutex_);
    cluster_id_ = cluster.id;
  }
  ARROW_ASSIGN_OR_RAISE(auto topic, admin->DescribeTopic(name));
  if (!topic.has_value()) {
    const Status created = admin->CreateTopic(TopicFor(name, cluster.brokers.size()));
    if (created.ok()) {
      Log::Info("created topic {}", name);
      return created;
    }
    ARROW_ASSIGN_OR_RAISE(topic, admin->DescribeTopic(name));
    if (!topic.has_value()) return created;
  }
  ARROW_RETURN_NOT_OK(CheckTopic(*topic));
  const Status may_write = admin->CheckMayWrite(name);
  if (may_write.ok() || IsRefused(may_write)) NoteRefusal(may_write);
  RaiseMessageBound(*admin, *topic);
  return Status::OK();
}

void KafkaStore::Read(const Look& look) const {
  std::shared_lock lock(state_mutex_);
  look(state_->state);
}

std::shared_ptr<const State> KafkaStore::Snapshot() const {
  std::shared_lock lock(state_mutex_);
  state_->snapshots.fetch_add(1, std::memory_order_relaxed);
  return {&state_->state, [shared = state_](const State*) {
            shared->snapshots.fetch_sub(1, std::memory_order_release);
          }};
}

void KafkaStore::Follow() {
  Status status = OpenLog();
  while (status.ok() && !stop_.requested()) status = ReadOn();
  if (stop_.requested()) return;
  Log::Error("the registry can no longer follow its log: {}", status.message());
  std::lock_guard lock(progress_mutex_);
  failure_ = status;
  progressed_.notify_all();
}

// Waits up to the start timeout for the brokers, and for a leader of the new topic.
Status KafkaStore::OpenLog() {
  Retry retry({.patience = {.first = Millis{100},
                            .longest = Millis{2000},
                            .give_up_after = options_.start_timeout},
               .stop = StopToken(&stop_),
               .on_wait = [](const Status& why, Millis) {
                 Log::Warn("the registry waits for Kafka: {}", why.message());
               }});
  return retry.Run([this]() -> Status {
    ARROW_RETURN_NOT_OK(EnsureTopic());
    std::shared_ptr<kafka::LogReader> reader;
    ARROW_ASSIGN_OR_RAISE(reader, kafka::LogReader::Open(config_, options_.topic));
    ARROW_ASSIGN_OR_RAISE(const int64_t end, reader->End(kBrokerTimeout));
    std::lock_guard lock(progress_mutex_);
    reader_ = std::move(reader);
    start_end_ = end;
    return Status::OK();
  });
}

Status KafkaStore::ReadOn() {
  ARROW_ASSIGN_OR_RAISE(auto record, reader_->Next(kPollPause));
  if (record.has_value()) ApplyRecord(*record);
  PublishPosition(reader_->position());
  return Status::OK();
}

void KafkaStore::ApplyRecord(const kafka::LogRecord& record) {
  auto parsed = ParseRecord(record.key, record.value);
  {
    std::lock_guard lock(progress_mutex_);
    if (parsed.ok()) {
      unreadable_.erase(record.key);
    } else {
      unreadable_[record.key] =
          "offset " + std::to_string(record.offset) + ": " + parsed.status().message();
      Log::Error("topic {} offset {} cannot be read: {}", options_.topic, record.offset,
                 parsed.status().message());
    }
  }
  if (!parsed.ok() || !parsed->has_value()) return;
  Status applied;
  {
    std::unique_lock lock(state_mutex_);
    if (state_->snapshots.load(std::memory_order_acquire) > 0) {
      state_ = std::make_shared<SharedState>(state_->state);
    }
    applied = state_->state.Apply(**parsed);
  }
  if (applied.ok()) return;
  Log::Error("topic {} offset {} is ignored: {}", options_.topic, record.offset, applied.message());
  std::lock_guard lock(progress_mutex_);
  unreadable_[record.key] = "offset " + std::to_string(record.offset) + ": " + applied.message();
}

void KafkaStore::PublishPosition(int64_t position) {
  std::lock_guard lock(progress_mutex_);
  if (!announced_ && position >= start_end_) {
    announced_ = true;
    Log::Info("topic {} has been read to its end, offset {}", options_.topic, position);
  }
  if (position <= position_) return;
  position_ = position;
  progressed_.notify_all();
}

Status KafkaStore::WaitForPosition(int64_t offset, BootClock::time_point deadline) {
  std::unique_lock lock(progress_mutex_);
  const bool reached = progressed_.wait_for(lock, Left(deadline),
                                            [&] { return position_ >= offset || !failure_.ok(); });
  ARROW_RETURN_NOT_OK(failure_);
  if (reached) return Status::OK();
  return Unavailable("topic ", options_.topic, " was not read to offset ", offset,
                     " in time, only to ", position_, ": check that its leader is up");
}

Status KafkaStore::CatchUp(Millis timeout) {
  const auto deadline = BootClock::now() + timeout;
  std::shared_ptr<kafka::LogReader> reader;
  {
    std::lock_guard lock(progress_mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    reader = reader_;
  }
  if (reader == nullptr) return Ready();
  ARROW_ASSIGN_OR_RAISE(const int64_t end, reader->End(std::max(Millis{1}, Left(deadline))));
  ARROW_RETURN_NOT_OK(WaitForPosition(end, deadline));
  return Whole();
}

Status KafkaStore::Write(const Decide& decide, Millis timeout) {
  ARROW_RETURN_NOT_OK(Whole());
  QueuedWrite write{decide, BootClock::now() + timeout};
  std::unique_lock lock(queue_mutex_);
  queue_.push_back(&write);
  queued_.notify_all();
  // The writing thread finishes every write soon after its deadline.
  finished_.wait(lock, [&] { return write.finished; });
  return write.result;
}

// Empty: the store is stopping.
KafkaStore::Batch KafkaStore::TakeBatch() {
  std::unique_lock lock(queue_mutex_);
  queued_.wait(lock, [&] { return stop_.requested() || !queue_.empty(); });
  const auto count = static_cast<ptrdiff_t>(std::min(queue_.size(), kLargestBatch));
  Batch batch(queue_.begin(), queue_.begin() + count);
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

void KafkaStore::Finish(const Batch& batch, const Status& result) {
  std::lock_guard lock(queue_mutex_);
  for (QueuedWrite* write : batch) {
    if (write->result.ok()) write->result = result;
    write->finished = true;
  }
  finished_.notify_all();
}

void KafkaStore::WriteBatches() {
  while (true) {
    Batch batch = TakeBatch();
    if (batch.empty()) return;
    WriteBatch(std::move(batch));
  }
}

void KafkaStore::WriteBatch(Batch batch) {
  last_write_failure_ =
      Unavailable("earlier writes to topic ", options_.topic, " left no time for this one");
  const auto later = [](const QueuedWrite* one, const QueuedWrite* other) {
    return one->deadline < other->deadline;
  };
  // Random pauses, so that registries stop taking the right to write from each other.
  const auto last = (*std::ranges::max_element(batch, later))->deadline;
  Retry retry(
      {.patience = {.first = Millis{20}, .longest = Millis{1000}, .give_up_after = Left(last)},
       .stop = StopToken(&stop_)});
  while (true) {
    if (stop_.requested()) return Finish(batch, Status::Cancelled("the registry is stopping"));
    const auto now = BootClock::now();
    const auto late = std::stable_partition(
        batch.begin(), batch.end(), [&](const QueuedWrite* one) { return one->deadline > now; });
    Finish(Batch(late, batch.end()), last_write_failure_);
    batch.erase(late, batch.end());
    if (batch.empty()) return;
    const auto done = TryWrite(batch, (*std::ranges::min_element(batch, later))->deadline);
    if (done.ok() && *done) return Finish(batch, Status::OK());
    if (done.status().IsInvalid() && batch.size() > 1) return WriteHalves(batch);
    if (!done.ok()) return Finish(batch, done.status());
    const Status waited = retry.Wait(last_write_failure_);
    if (!waited.ok()) return Finish(batch, waited);
  }
}

// One write is too large for the topic; it must not fail the others.
void KafkaStore::WriteHalves(const Batch& batch) {
  const auto middle = batch.begin() + static_cast<ptrdiff_t>(batch.size() / 2);
  WriteBatch(Batch(batch.begin(), middle));
  WriteBatch(Batch(middle, batch.end()));
}

// What the writes decide, each on the state that the earlier ones leave.
std::vector<kafka::LogEntry> KafkaStore::DecideAll(const Batch& batch) {
  std::vector<kafka::LogEntry> entries;
  const auto state = Snapshot();
  std::optional<State> changed;
  for (QueuedWrite* write : batch) {
    try {
      const std::vector<Record> records = write->decide(changed ? *changed : *state);
      if (records.empty()) continue;
      if (write != batch.back()) {
        if (!changed) changed.emplace(*state);
        // A decision never gives an id a second schema, which is all that is refused.
        for (const Record& record : records) ARROW_CHECK_OK(changed->Apply(record));
      }
      for (KeyAndValue& one : SerializeAll(records)) {
        entries.push_back({std::move(one.key), std::move(one.value)});
      }
    } catch (const std::exception& error) {
      write->result = Status::UnknownError("the request failed: ", error.what());
    }
  }
  return entries;
}

Result<bool> KafkaStore::TryWrite(const Batch& batch, BootClock::time_point deadline) {
  last_write_failure_ = writer_ == nullptr ? TakeOver(deadline) : Status::OK();
  if (IsRefused(last_write_failure_)) return RefuseWrites();
  if (last_write_failure_.ok()) last_write_failure_ = CatchUp(Left(deadline));
  if (!last_write_failure_.ok()) return false;

  for (QueuedWrite* write : batch) write->result = Status::OK();
  const std::vector<kafka::LogEntry> entries = DecideAll(batch);
  if (entries.empty()) return true;

  const auto offset = writer_->Append(entries, std::max(Millis{1}, Left(deadline)));
  last_write_failure_ = offset.status();
  // The commit is acknowledged before the end that CatchUp requests moves past it, so no further
  // decision may be made before these records have been read back.
  if (offset.ok()) last_write_failure_ = WaitForPosition(*offset + 1, deadline);
  if (last_write_failure_.ok()) {
    NoteRefusal(Status::OK());
    return true;
  }
  if (IsRefused(last_write_failure_)) return RefuseWrites();
  Log::Info("lost the right to write to topic {}: {}", options_.topic,
            last_write_failure_.message());
  writer_.reset();
  if (last_write_failure_.IsInvalid()) return last_write_failure_;
  return false;
}

// No later attempt succeeds before an operator grants the permission.
Status KafkaStore::RefuseWrites() {
  writer_.reset();
  NoteRefusal(last_write_failure_);
  return last_write_failure_;
}

Status KafkaStore::TakeOver(BootClock::time_point deadline) {
  ARROW_ASSIGN_OR_RAISE(writer_, kafka::LogWriter::Open(config_, options_.topic,
                                                        "shopstream-registry" + options_.topic,
                                                        std::max(Millis{1}, Left(deadline))));
  return Status::OK();
}

}  // namespace shopstream::registry
