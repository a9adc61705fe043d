#include "kafka/span_answers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::kafka {

SpanAnswers::SpanAnswers(std::string topic, std::vector<int32_t> partitions)
    : topic_(std::move(topic)), partitions_(std::move(partitions)) {
  for (const int32_t partition : partitions_) spans_[partition] = {.log_start = -1, .end = -1};
}

void SpanAnswers::ExcludeLeaderless(const std::vector<PartitionState>& states) {
  for (const int32_t partition : partitions_) {
    const auto state = std::ranges::find(states, partition, &PartitionState::id);
    if (state == states.end()) {
      failures_[partition] =
          Status::KeyError("topic ", topic_, " has ", states.size(), " partitions, and none has ",
                           "the number ", partition);
    } else if (state->leader < 0) {
      failures_[partition] =
          Unavailable("partition ", partition, " of topic ", topic_, " has no leader: start the ",
                      "brokers that `shopstream topics describe ", topic_, "` lists for it");
    }
  }
}

std::vector<int32_t> SpanAnswers::open() const {
  std::vector<int32_t> open;
  std::ranges::copy_if(partitions_, std::back_inserter(open),
                       [this](int32_t partition) { return !failures_.contains(partition); });
  return open;
}

void SpanAnswers::Set(int32_t partition, int64_t OffsetSpan::*which,
                      const Result<int64_t>& answer) {
  if (answer.ok()) {
    spans_[partition].*which = *answer;
  } else {
    failures_[partition] = answer.status();
  }
}

void SpanAnswers::SetSilent(int32_t partition) { failures_[partition] = Silent(partition); }

Status SpanAnswers::Silent(int32_t partition) const {
  return Unavailable("the leader of partition ", partition, " of topic ", topic_,
                     " does not answer: `shopstream health` shows the brokers");
}

std::vector<Result<OffsetSpan>> SpanAnswers::Finish(const Status& whole) const {
  std::vector<Result<OffsetSpan>> answers;
  for (const int32_t partition : partitions_) {
    const OffsetSpan& span = spans_.at(partition);
    const auto failure = failures_.find(partition);
    if (failure != failures_.end()) {
      answers.emplace_back(failure->second);
    } else if (!whole.ok()) {
      answers.emplace_back(whole);
    } else if (span.log_start < 0 || span.end < 0) {
      answers.emplace_back(Silent(partition));
    } else {
      answers.emplace_back(span);
    }
  }
  return answers;
}

}  // namespace shopstream::kafka
