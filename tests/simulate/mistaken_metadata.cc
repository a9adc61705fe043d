#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "simulate/mistakes.h"

namespace shopstream::simulate {
namespace {

class RememberingMetadata : public kafka::TopicMetadata {
 public:
  explicit RememberingMetadata(std::unique_ptr<kafka::TopicMetadata> right)
      : right_(std::move(right)) {}
  Result<std::optional<kafka::TopicState>> DescribeTopic(const std::string& name,
                                                         bool with_configs) override {
    ARROW_ASSIGN_OR_RAISE(auto state, right_->DescribeTopic(name, with_configs));
    if (!state) return state;
    if (id_.empty()) id_ = state->id;
    state->id = id_;
    return state;
  }
  std::vector<Result<kafka::OffsetSpan>> OffsetSpans(
      const std::string& topic, const std::vector<int32_t>& partitions) override {
    return right_->OffsetSpans(topic, partitions);
  }

 private:
  const std::unique_ptr<kafka::TopicMetadata> right_;
  std::string id_;
};

class CachedEnds : public kafka::TopicMetadata {
 public:
  explicit CachedEnds(std::unique_ptr<kafka::TopicMetadata> right) : right_(std::move(right)) {}
  Result<std::optional<kafka::TopicState>> DescribeTopic(const std::string& name,
                                                         bool with_configs) override {
    return right_->DescribeTopic(name, with_configs);
  }
  std::vector<Result<kafka::OffsetSpan>> OffsetSpans(
      const std::string& topic, const std::vector<int32_t>& partitions) override {
    auto spans = right_->OffsetSpans(topic, partitions);
    for (size_t i = 0; i < partitions.size(); ++i) {
      if (!spans[i].ok()) continue;
      const auto [known, is_new] = ends_.try_emplace(partitions[i], spans[i]->end);
      std::swap(spans[i]->end, known->second);
    }
    return spans;
  }

 private:
  const std::unique_ptr<kafka::TopicMetadata> right_;
  std::map<int32_t, int64_t> ends_;
};

}  // namespace

std::unique_ptr<kafka::TopicMetadata> Mistaken(Mistake mistake,
                                               std::unique_ptr<kafka::TopicMetadata> right) {
  if (mistake == Mistake::kEndsFromACache) return std::make_unique<CachedEnds>(std::move(right));
  if (mistake != Mistake::kTopicIdAskedOnce) return right;
  return std::make_unique<RememberingMetadata>(std::move(right));
}

}  // namespace shopstream::simulate
