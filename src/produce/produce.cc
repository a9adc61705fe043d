#include "produce/produce.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "avro/node.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/probes.h"
#include "base/shutdown.h"
#include "kafka/admin.h"
#include "kafka/errors.h"
#include "kafka/producer.h"
#include "model/purchase_event.h"
#include "produce/handover.h"
#include "produce/parcel.h"
#include "produce/progress.h"
#include "produce/token_bucket.h"
#include "registry/client.h"
#include "registry/subject.h"

namespace shopstream {
extern const std::string_view kPurchaseEventAvsc;
}

namespace shopstream::produce {
namespace {

// Large enough that a handover costs nothing, small enough to stay in the cache.
constexpr int64_t kParcelRows = 4096;
constexpr int kParcels = 4;
// At a given rate, a parcel holds the events of about this time.
constexpr double kPacedSeconds = 0.01;
constexpr Millis kIdlePause{5};
// Longest single wait, so that progress is shown and stops are noticed.
constexpr Millis kLongestWait{100};

Status CheckTopic(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(config.kafka));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.kafka.topic, false));
  if (topic.has_value()) return Status::OK();
  return kafka::NoSuchTopic(config.kafka.topic, config.kafka.bootstrap_servers);
}

Result<int32_t> RegisterSchema(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto schema, avro::Schema::Parse(kPurchaseEventAvsc));
  const std::string subject = registry::SubjectFor(registry::SubjectNaming::From(config.registry),
                                                   config.kafka.topic, schema.root().name);
  ARROW_ASSIGN_OR_RAISE(const registry::RegisteredSchema registered,
                        client->Register(subject, std::string(kPurchaseEventAvsc)));
  return registered.id;
}

// The thread that makes events, at the wanted rate, and encodes them.
class Filler {
 public:
  Filler(ParcelMaker maker, const ProduceOptions& options, Handover* handover,
         BootClock::time_point now)
      : maker_(std::move(maker)),
        options_(options),
        handover_(handover),
        rows_left_(options.count > 0 ? options.count : std::numeric_limits<int64_t>::max()),
        ends_at_(options.duration.count() > 0 ? now + options.duration
                                              : BootClock::time_point::max()) {
    if (options.rate > 0) bucket_.emplace(options.rate, now);
  }

  void Run() { handover_->Finish(Fill()); }

 private:
  // OK if the events have ended, for whatever reason.
  Status Fill() {
    while (rows_left_ > 0) {
      std::unique_ptr<Parcel> parcel = handover_->TakeEmpty();
      if (parcel == nullptr) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool more, FillOne(parcel.get()));
      if (!more) return Status::OK();
      rows_left_ -= static_cast<int64_t>(parcel->messages.size());
      handover_->GiveFull(std::move(parcel));
    }
    return Status::OK();
  }

  // False: there are no more events.
  Result<bool> FillOne(Parcel* parcel) {
    while (true) {
      const int64_t rows = WaitForTurn();
      if (rows == 0) return false;
      ARROW_ASSIGN_OR_RAISE(const Made made, maker_.Make(rows, parcel));
      if (made == Made::kEnd) return false;
      if (made == Made::kMessages) return true;
      if (SleepUnlessShutdown(kIdlePause)) return false;
    }
  }

  // Waits, and returns how many events may be made now; 0: stop.
  int64_t WaitForTurn() {
    const int64_t most = std::min(kParcelRows, rows_left_);
    const int64_t wanted =
        bucket_ ? std::clamp(static_cast<int64_t>(options_.rate * kPacedSeconds), int64_t{1}, most)
                : most;
    while (!ShutdownRequested() && !handover_->stopped()) {
      const BootClock::time_point now = BootClock::now();
      if (now >= ends_at_) return 0;
      if (!bucket_) return wanted;
      const BootClock::duration wait = bucket_->UntilAvailable(wanted, now);
      if (wait.count() <= 0) return bucket_->Take(wanted, now);
      const auto pause = std::chrono::ceil<Millis>(std::min(wait, ends_at_ - now));
      SleepUnlessShutdown(std::min(pause, kLongestWait));
    }
    return 0;
  }

  ParcelMaker maker_;
  const ProduceOptions options_;
  Handover* handover_;
  int64_t rows_left_;
  BootClock::time_point ends_at_;
  std::optional<TokenBucket> bucket_;
};

// The thread that sends, serves delivery reports and shows progress.
class Sender {
 public:
  Sender(std::string topic, kafka::Producer* producer, const ProduceOptions& options,
         Handover* handover, BootClock::time_point now)
      : topic_(std::move(topic)),
        producer_(producer),
        flush_timeout_(options.flush_timeout),
        handover_(handover),
        started_at_(now),
        progress_(options.silent, now) {}

  Result<ProduceSummary> Run() {
    const Status sent = SendAll();
    handover_->Stop();
    while (UnderWay() > 0 && !MustEnd()) Serve(kLongestWait);
    // An early stop leaves messages in flight; they get a little time, then they count as failed.
    while (UnderWay() > 0 && BootClock::now() < EndsAt()) Serve(kLongestWait);
    GiveUpTheRest();
    progress_.End();
    if (sent.ok()) return Summarize();
    Log::Warn("{} events before the error were acknowledged",
              FormatCount(producer_->stats().acknowledged));
    return sent;
  }

 private:
  Status SendAll() {
    while (!handover_->finished() && !MustEnd()) {
      std::unique_ptr<Parcel> parcel = handover_->TakeFull(kLongestWait);
      if (parcel != nullptr) {
        ARROW_RETURN_NOT_OK(Send(*parcel));
        handover_->GiveEmpty(std::move(parcel));
      }
      Serve(Millis{0});
    }
    return handover_->finished().value_or(Status::OK());
  }

  Status Send(const Parcel& parcel) {
    summary_.malformed += parcel.malformed;
    summary_.late += parcel.late;
    summary_.duplicates += parcel.duplicates;
    summary_.bytes += parcel.bytes;
    std::span<const kafka::Message> messages = parcel.messages;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const int64_t taken, producer_->SendBatch(topic_, messages));
      messages = messages.subspan(taken);
      if (messages.empty() || MustEnd()) return Status::OK();
      Serve(kLongestWait);
    }
  }

  void Serve(Millis timeout) {
    producer_->Poll(timeout);
    Probes::OfProcess().Beat();
    const BootClock::time_point now = BootClock::now();
    if (progress_.IsDue(now)) progress_.Show(producer_->stats(), now);
  }

  int64_t UnderWay() const {
    const kafka::ProducerStats stats = producer_->stats();
    return stats.queued - stats.acknowledged - stats.failed;
  }

  // Only messages in flight are still waited for: a delivery failed, or a stop was requested and
  // its grace period is over.
  bool MustEnd() {
    if (producer_->stats().failed > 0) {
      EndsAt();
      return true;
    }
    return ShutdownRequested() && BootClock::now() >= EndsAt();
  }

  // Fixed at the first call, once a stop is due.
  BootClock::time_point EndsAt() {
    if (!ends_at_) ends_at_ = BootClock::now() + flush_timeout_;
    return *ends_at_;
  }

  void GiveUpTheRest() {
    const int64_t given_up = producer_->GiveUp();
    if (given_up == 0) return;
    Log::Error("{} events were not acknowledged within {} and were abandoned",
               FormatCount(given_up), FormatMillis(flush_timeout_.count()));
  }

  ProduceSummary Summarize() {
    const kafka::ProducerStats stats = producer_->stats();
    summary_.events = stats.queued;
    summary_.acknowledged = stats.acknowledged;
    summary_.failed = stats.failed;
    summary_.first_error = stats.first_error;
    summary_.interrupted = ShutdownRequested();
    summary_.seconds = std::chrono::duration<double>(BootClock::now() - started_at_).count();
    return summary_;
  }

  const std::string topic_;
  kafka::Producer* producer_;
  const Millis flush_timeout_;
  Handover* handover_;
  const BootClock::time_point started_at_;
  ProgressDisplay progress_;
  ProduceSummary summary_;
  std::optional<BootClock::time_point> ends_at_;
};

}  // namespace

Result<ProduceSummary> Produce(generate::EventSource* source, const Config& config,
                               const ProduceOptions& options) {
  ARROW_RETURN_NOT_OK(CheckTopic(config));
  ARROW_ASSIGN_OR_RAISE(const int32_t schema_id, RegisterSchema(config));
  ARROW_ASSIGN_OR_RAISE(ParcelMaker maker,
                        ParcelMaker::Open(source, *PurchaseEventSchema(),
                                          std::string(kPurchaseEventAvsc), schema_id));
  ARROW_ASSIGN_OR_RAISE(auto producer, kafka::Producer::Open(config.kafka));
  Handover handover(kParcels);
  const BootClock::time_point now = BootClock::now();
  Filler filler(std::move(maker), options, &handover, now);
  Sender sender(config.kafka.topic, producer.get(), options, &handover, now);
  Probes::OfProcess().SetUnready("");
  const std::jthread filling([&] { filler.Run(); });  // Returns when the sender stops the handover.
  return sender.Run();
}

nlohmann::ordered_json ToJson(const ProduceSummary& summary) {
  return {{"events", summary.events},
          {"acknowledged", summary.acknowledged},
          {"failed", summary.failed},
          {"malformed", summary.malformed},
          {"late", summary.late},
          {"duplicates", summary.duplicates},
          {"bytes", summary.bytes},
          {"seconds", summary.seconds},
          {"rate", summary.rate()},
          {"interrupted", summary.interrupted},
          {"first_error", summary.first_error}};
}

}  // namespace shopstream::produce
