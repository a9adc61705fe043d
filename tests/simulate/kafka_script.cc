// Runs a script of operations on a simulated or on a real Kafka and prints what each answers, so
// that the simulated one can be held to the real one.
//
//   kafka_script simulated < script
//   kafka_script BOOTSTRAP TOPIC < script
//
// A script has one operation a line; see Script::Run. Answers depend only on the script: records
// are listed by partition, and of a group's members only the number of partitions is shown.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "kafka/record_source.h"
#include "kafka/topic_metadata.h"
#include "simulate/broker.h"
#include "simulate/real_broker.h"
#include "simulate/simulated_broker.h"

namespace shopstream::simulate {
namespace {

constexpr Millis kLongestWait{60'000};
constexpr Millis kPoll{100};

// A consumer of the script, and what its group has assigned to it.
struct Member {
  std::unique_ptr<kafka::RecordSource> source;
  std::set<int32_t> assigned;
};

std::vector<kafka::PartitionOffset> ReadPositions(std::istream* words) {
  std::vector<kafka::PartitionOffset> positions;
  for (std::string word; *words >> word;) {
    const size_t at = word.find('@'), epoch = word.find(':');
    positions.push_back({std::stoi(word.substr(0, at)), std::stoll(word.substr(at + 1)),
                         epoch == word.npos ? -1 : std::stoi(word.substr(epoch + 1))});
  }
  return positions;
}

std::vector<int32_t> ReadPartitions(std::istream* words) {
  std::vector<int32_t> partitions;
  for (int32_t partition; *words >> partition;) partitions.push_back(partition);
  return partitions;
}

class Script {
 public:
  explicit Script(Broker* broker) : broker_(broker), metadata_(broker->OpenMetadata()) {}

  Result<std::string> Run(const std::string& line) {
    std::istringstream words(line);
    std::string operation;
    words >> operation;
    if (operation == "create") return Create(&words);
    if (operation == "delete") return Done(broker_->DeleteTopic());
    if (operation == "produce") return Produce(&words);
    if (operation == "commit" || operation == "abort") {
      return Done(broker_->EndTransaction(ReadPartitions(&words).at(0), operation == "commit"));
    }
    if (operation == "expire") {
      const auto to = ReadPositions(&words).at(0);
      return Done(broker_->Expire(to.partition, to.offset));
    }
    if (operation == "describe") return Describe();
    if (operation == "spans") return Spans();
    if (operation == "group") return AwaitGroup(&words);
    std::string name;
    words >> name;
    if (operation == "open") return Open(name, &words);
    if (!members_.contains(name)) return Status::Invalid("no consumer ", name, " is open");
    return RunOn(operation, name, &words);
  }

 private:
  static Result<std::string> Done(const Status& status) {
    ARROW_RETURN_NOT_OK(status);
    return "done";
  }

  Result<std::string> RunOn(const std::string& operation, const std::string& name,
                            std::istream* words) {
    Member& member = members_[name];
    if (operation == "subscribe") return Done(member.source->Subscribe());
    if (operation == "close") {
      member.source->Close();
      members_.erase(name);
      return "done";
    }
    if (operation == "assign" || operation == "restart") {
      const auto positions = ReadPositions(words);
      return Done(operation == "assign" ? member.source->Assign(positions)
                                        : member.source->Restart(positions));
    }
    if (operation == "validate") return Done(member.source->Validate(ReadPositions(words).at(0)));
    const auto partitions = ReadPartitions(words);
    if (operation == "drain") return Drain(&member, {partitions.begin(), partitions.end()});
    if (operation == "unassign") return Done(member.source->Unassign(partitions));
    if (operation == "pause") return Done(member.source->Pause(partitions));
    if (operation == "resume") return Done(member.source->Resume(partitions));
    return Status::Invalid("no operation is named ", operation);
  }

  Result<std::string> Create(std::istream* words) {
    int partitions = 0;
    *words >> partitions;
    return Done(broker_->CreateTopic(partitions));
  }

  // produce PARTITION VALUE [open]
  Result<std::string> Produce(std::istream* words) {
    int32_t partition = 0;
    std::string value, open;
    *words >> partition >> value >> open;
    ARROW_ASSIGN_OR_RAISE(const int64_t offset, broker_->Produce(partition, value, open == "open"));
    return fmt::format("offset {}", offset);
  }

  Result<std::string> Describe() {
    ARROW_ASSIGN_OR_RAISE(const auto topic, metadata_->DescribeTopic(broker_->topic(), false));
    if (!topic) return "no topic";
    const bool same = topic->id == last_id_;
    last_id_ = topic->id;
    return fmt::format("{} partitions, an id of {} characters, {}", topic->partitions.size(),
                       topic->id.size(), same ? "as before" : "new");
  }

  Result<std::string> Spans() {
    ARROW_ASSIGN_OR_RAISE(const auto topic, metadata_->DescribeTopic(broker_->topic(), false));
    if (!topic) return "no topic";
    const auto partitions = kafka::AllPartitions(topic->partitions.size());
    std::vector<std::string> texts;
    for (const auto& span : metadata_->OffsetSpans(broker_->topic(), partitions)) {
      ARROW_RETURN_NOT_OK(span.status());
      texts.push_back(fmt::format("{}..{}", span->log_start, span->end));
    }
    return fmt::format("{}", fmt::join(texts, " "));
  }

  // open NAME [uncommitted]
  Result<std::string> Open(const std::string& name, std::istream* words) {
    std::string isolation;
    *words >> isolation;
    ARROW_ASSIGN_OR_RAISE(members_[name].source, broker_->OpenSource(isolation != "uncommitted"));
    return "done";
  }

  // drain NAME PARTITION...: polls until each of them has reported its end, or why it has none.
  Result<std::string> Drain(Member* member, std::set<int32_t> waiting) {
    std::map<int32_t, std::string> seen;
    const auto deadline = BootClock::now() + kLongestWait;
    while (!waiting.empty()) {
      if (BootClock::now() >= deadline) {
        return Status::Invalid(fmt::format("no end of {} was reported", waiting));
      }
      ARROW_ASSIGN_OR_RAISE(const auto polled, member->source->Poll(kPoll));
      for (const auto& record : polled.batch.records) {
        const auto* text = reinterpret_cast<const char*>(record.value->data());
        seen[record.partition] +=
            fmt::format(" {}@{}:{}", std::string_view(text, record.value->size()), record.offset,
                        record.leader_epoch);
      }
      for (const auto& end : polled.ends) {
        seen[end.partition] += fmt::format(" end {}:{}", end.offset, end.leader_epoch);
        waiting.erase(end.partition);
      }
      for (const int32_t partition : polled.out_of_range) {
        seen[partition] += " out of range";
        waiting.erase(partition);
      }
      for (const int32_t partition : polled.truncated) {
        seen[partition] += " truncated";
        waiting.erase(partition);
      }
    }
    std::string text;
    for (const auto& [partition, what] : seen) text += fmt::format("{}:{}; ", partition, what);
    return text.empty() ? "nothing" : text.substr(0, text.size() - 2);
  }

  // group NAME...: polls these members in turn until they own all partitions in equal shares.
  Result<std::string> AwaitGroup(std::istream* words) {
    std::vector<std::string> names;
    for (std::string name; *words >> name;) names.push_back(name);
    ARROW_ASSIGN_OR_RAISE(const auto topic, metadata_->DescribeTopic(broker_->topic(), false));
    if (!topic) return "no topic";
    const size_t all = topic->partitions.size();
    const auto deadline = BootClock::now() + kLongestWait;
    while (BootClock::now() < deadline) {
      std::set<int32_t> owned;
      std::vector<size_t> counts;
      for (const std::string& name : names) {
        ARROW_RETURN_NOT_OK(Answer(&members_[name]));
        owned.insert(members_[name].assigned.begin(), members_[name].assigned.end());
        counts.push_back(members_[name].assigned.size());
      }
      std::ranges::sort(counts);
      const bool fair = counts.back() - counts.front() <= 1;
      size_t sum = 0;
      for (const size_t count : counts) sum += count;
      if (owned.size() == all && sum == all && fair) {
        return fmt::format("shares {}", fmt::join(counts, " "));
      }
    }
    return Status::Invalid("the group did not share the partitions");
  }

  Status Answer(Member* member) {
    ARROW_ASSIGN_OR_RAISE(const auto polled, member->source->Poll(kPoll));
    for (const auto& rebalance : polled.rebalances) {
      std::vector<kafka::PartitionOffset> start;
      for (const int32_t partition : rebalance.partitions) {
        start.push_back({partition, kafka::kOffsetBeginning});
        if (rebalance.kind == kafka::Rebalance::Kind::kAssign) {
          member->assigned.insert(partition);
        } else {
          member->assigned.erase(partition);
        }
      }
      ARROW_RETURN_NOT_OK(rebalance.kind == kafka::Rebalance::Kind::kAssign
                              ? member->source->Assign(start)
                              : member->source->Unassign(rebalance.partitions));
    }
    return Status::OK();
  }

  Broker* const broker_;
  const std::unique_ptr<kafka::TopicMetadata> metadata_;
  std::map<std::string, Member> members_;
  std::string last_id_;
};

bool RunAll(Broker* broker) {
  Script script(broker);
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto answer = script.Run(line);
    std::cout << line << ": " << (answer.ok() ? *answer : answer.status().message()) << std::endl;
    if (!answer.ok()) return false;
  }
  return true;
}

}  // namespace
}  // namespace shopstream::simulate

int main(int argc, char** argv) {
  using shopstream::simulate::RunAll;
  if (argc == 2 && std::string(argv[1]) == "simulated") {
    return shopstream::simulate::RunSimulated(RunAll) ? 0 : 1;
  }
  if (argc == 3) {
    const auto broker = shopstream::simulate::OpenRealBroker(argv[1], argv[2]);
    if (broker.ok()) return RunAll(broker->get()) ? 0 : 1;
    std::cerr << "kafka_script: " << broker.status().message() << "\n";
    return 1;
  }
  std::cerr << "usage: kafka_script simulated | kafka_script BOOTSTRAP TOPIC\n";
  return 2;
}
