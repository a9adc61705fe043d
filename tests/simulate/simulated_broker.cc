#include "simulate/simulated_broker.h"

#include "simulate/chance.h"
#include "simulate/kafka.h"
#include "simulate/scheduler.h"
#include "simulate/trace.h"

namespace shopstream::simulate {
namespace {

class SimulatedBroker : public Broker {
 public:
  explicit SimulatedBroker(SimulatedKafka* kafka) : kafka_(kafka) {}

  const std::string& topic() const override { return topic_; }
  Status CreateTopic(int partitions) override {
    kafka_->CreateTopic(partitions);
    return Status::OK();
  }
  Status DeleteTopic() override {
    kafka_->DeleteTopic();
    return Status::OK();
  }
  Result<int64_t> Produce(int32_t partition, const std::string& value,
                          bool in_transaction) override {
    return kafka_->Produce(partition, std::nullopt, value, WallClockMillis(), in_transaction);
  }
  Status EndTransaction(int32_t partition, bool commit) override {
    kafka_->EndTransaction(partition, commit);
    return Status::OK();
  }
  Status Expire(int32_t partition, int64_t log_start) override {
    kafka_->Expire(partition, log_start);
    return Status::OK();
  }
  Result<std::unique_ptr<kafka::RecordSource>> OpenSource(bool read_committed) override {
    return kafka_->OpenSource(read_committed);
  }
  std::unique_ptr<kafka::TopicMetadata> OpenMetadata() override { return kafka_->OpenMetadata(); }

 private:
  SimulatedKafka* const kafka_;
  const std::string topic_ = "script";
};

}  // namespace

bool RunSimulated(const std::function<bool(Broker*)>& act) {
  Chance chance(1);
  Trace trace;
  Scheduler scheduler(&chance, &trace);
  SimulatedKafka kafka(&scheduler, "script", 1);
  kafka.DeleteTopic();
  bool answer = false;
  const int program = scheduler.StartProgram("script", [&] {
    SimulatedBroker broker(&kafka);
    answer = act(&broker);
  });
  scheduler.Run([&] { return scheduler.ended(program); }, BootClock::time_point::max());
  return answer;
}

}  // namespace shopstream::simulate
