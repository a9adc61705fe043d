#include "console/api_search.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/number.h"
#include "console/kafka_admin.h"
#include "console/masking.h"
#include "console/not_allowed.h"
#include "console/record_answer.h"
#include "console/search_pool.h"
#include "kafka/admin.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;
using Spans = std::map<int32_t, kafka::OffsetSpan>;

constexpr Millis kRecordTimeout{5000};

ordered_json NoTopic(const std::string& topic) {
  return {{"topic", topic},
          {"exists", false},
          {"reason", "Kafka has no topic " + topic + ", or no longer has it"},
          {"remedy", "shopstream topics create " + topic}};
}

const char* NameOf(SearchEnd end) {
  switch (end) {
    case SearchEnd::kEnd:
      return "end";
    case SearchEnd::kLimit:
      return "limit";
    case SearchEnd::kTime:
      return "time";
  }
  return "";
}

Result<std::vector<int32_t>> WantedPartitions(const kafka::TopicState& topic,
                                              const std::vector<int32_t>& wanted) {
  const auto count = static_cast<int32_t>(topic.partitions.size());
  if (wanted.empty()) return kafka::AllPartitions(topic.partitions.size());
  if (wanted.back() < count) return wanted;
  return Status::Invalid("topic ", topic.name, " has no partition ", wanted.back(),
                         ": its partitions are 0 to ", count - 1);
}

// The first offset at the edge's time in each partition that answers; empty for another edge.
Result<std::map<int32_t, int64_t>> TimesOf(kafka::Admin* admin, const std::string& topic,
                                           const Spans& spans, const records::ReadStart& edge) {
  std::map<int32_t, int64_t> times;
  if (edge.form != records::ReadStart::Form::kTime || spans.empty()) return times;
  std::vector<int32_t> partitions;
  for (const auto& [partition, span] : spans) partitions.push_back(partition);
  const auto offsets = admin->OffsetsAt(topic, partitions, edge.number);
  for (size_t i = 0; i < partitions.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(times[partitions[i]], offsets[i]);
  }
  return times;
}

// Where a search without a cursor begins.
Result<SearchProgress> FirstProgress(const SearchRequest& request, kafka::Admin* admin,
                                     const kafka::TopicState& topic, const Spans& spans) {
  ARROW_ASSIGN_OR_RAISE(const auto from, TimesOf(admin, topic.name, spans, request.from));
  ARROW_ASSIGN_OR_RAISE(const auto to, TimesOf(admin, topic.name, spans, request.to));
  const auto at = [](const std::map<int32_t, int64_t>& times, int32_t partition) {
    const auto found = times.find(partition);
    return found == times.end() ? -1 : found->second;
  };
  SearchProgress progress;
  progress.topic_id = topic.id;
  for (const auto& [partition, span] : spans) {
    PartitionScan scan{.partition = partition};
    scan.from = records::OffsetOf(span, request.from, at(from, partition));
    scan.to = request.follow ? std::numeric_limits<int64_t>::max()
                             : records::OffsetOf(span, request.to, at(to, partition));
    scan.to = std::max(scan.from, scan.to);
    scan.next = request.order == SearchOrder::kNewest ? scan.to : scan.from;
    progress.partitions.push_back(scan);
  }
  return progress;
}

// ---- the frame of an answer

struct Asked {
  Spans spans;
  std::map<int32_t, Status> silent;  // Partitions whose leader does not answer.
};

Asked AskSpans(kafka::Admin* admin, const std::string& topic,
               const std::vector<int32_t>& partitions) {
  Asked asked;
  const auto answers = admin->OffsetSpans(topic, partitions);
  for (size_t i = 0; i < partitions.size(); ++i) {
    if (answers[i].ok()) {
      asked.spans[partitions[i]] = *answers[i];
    } else {
      asked.silent.emplace(partitions[i], answers[i].status());
    }
  }
  return asked;
}

ordered_json PartitionFrame(const PartitionScan& scan, const SearchRequest& request,
                            const Asked& asked) {
  const bool newest = request.order == SearchOrder::kNewest;
  const int64_t begin = newest ? scan.next : scan.from, end = newest ? scan.to : scan.next;
  ordered_json frame = {{"partition", scan.partition}, {"from", scan.from}};
  frame["to"] = request.follow ? ordered_json(nullptr) : ordered_json(scan.to);
  frame["scanned_from"] = begin;
  frame["scanned_to"] = end;  // The first offset that is not searched.
  frame["left"] = request.follow
                      ? ordered_json(nullptr)
                      : ordered_json(newest ? scan.next - scan.from : scan.to - scan.next);
  if (const auto span = asked.spans.find(scan.partition); span != asked.spans.end()) {
    frame["log_start"] = span->second.log_start;
    frame["end"] = span->second.end;
  } else {
    frame["log_start"] = frame["end"] = nullptr;
    frame["end_unknown"] = asked.silent.at(scan.partition).message();
  }
  return frame;
}

ordered_json FrameOf(const SearchProgress& progress, const SearchRequest& request,
                     const SearchSlice& slice, const Asked& asked,
                     const std::map<int32_t, int64_t>& removed) {
  ordered_json partitions = ordered_json::array();
  for (const PartitionScan& scan : progress.partitions) {
    ordered_json frame = PartitionFrame(scan, request, asked);
    if (const auto gone = removed.find(scan.partition); gone != removed.end()) {
      frame["removed"] = gone->second;  // By retention, before it was searched.
    }
    if (const auto why = slice.failed.find(scan.partition); why != slice.failed.end()) {
      frame["failed"] = why->second.message();
    }
    partitions.push_back(std::move(frame));
  }
  // Partitions that could not even be asked where they begin.
  for (const auto& [partition, why] : asked.silent) {
    if (std::ranges::find(progress.partitions, partition, &PartitionScan::partition) !=
        progress.partitions.end()) {
      continue;
    }
    partitions.push_back({{"partition", partition}, {"failed", why.message()}});
  }
  return {{"partitions", std::move(partitions)},
          {"scanned", progress.scanned},
          {"matched", progress.matched},
          {"ended", NameOf(slice.ended)}};
}

// ---- the routes

class Searches {
 public:
  explicit Searches(const World& world)
      : config_(world.config), masking_(world.masking), admin_(world.config.kafka) {}

  Result<ordered_json> Search(const ApiRequest& request);
  Result<ordered_json> Record(const ApiRequest& request);

 private:
  Result<std::unique_ptr<RecordSearch>> Continue(const SearchRequest& request,
                                                 const SearchProgress& progress);
  Result<SearchProgress> ProgressOf(const SearchRequest& request, kafka::Admin* admin,
                                    const kafka::TopicState& topic, const Spans& spans) const;
  records::IsHidden IsHidden() const;

  const Config& config_;
  const Masking& masking_;
  KafkaAdmin admin_;
  SearchPool pool_;
};

records::IsHidden Searches::IsHidden() const {
  if (!masking_.active()) return nullptr;
  return [this](const arrow::Field& field) { return HidesAny(masking_, field); };
}

Result<SearchProgress> Searches::ProgressOf(const SearchRequest& request, kafka::Admin* admin,
                                            const kafka::TopicState& topic,
                                            const Spans& spans) const {
  if (request.cursor.empty()) return FirstProgress(request, admin, topic, spans);
  ARROW_ASSIGN_OR_RAISE(SearchProgress progress, ParseCursor(request.cursor, request));
  if (progress.topic_id != topic.id) {
    return Gone("topic ", topic.name, " was deleted and created again since this search began: ",
                "leave the search's 'cursor' out to search the new one");
  }
  // Their leaders did not answer when it began, or they are new.
  Spans more = spans;
  for (const PartitionScan& scan : progress.partitions) more.erase(scan.partition);
  ARROW_ASSIGN_OR_RAISE(const SearchProgress added, FirstProgress(request, admin, topic, more));
  progress.partitions.insert(progress.partitions.end(), added.partitions.begin(),
                             added.partitions.end());
  std::ranges::sort(progress.partitions, {}, &PartitionScan::partition);
  return progress;
}

Result<std::unique_ptr<RecordSearch>> Searches::Continue(const SearchRequest& request,
                                                         const SearchProgress& progress) {
  auto kept = pool_.Take(request.cursor);
  if (kept != nullptr && kept->progress() == progress) return kept;
  if (kept != nullptr) pool_.Close(std::move(kept));  // It lacks partitions that are new.
  return RecordSearch::Open(request, config_, progress);
}

Result<ordered_json> Searches::Search(const ApiRequest& api) {
  const BootClock::time_point since = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(SearchRequest request,
                        ReadSearchRequest(api.http.captures.at(0), api.http));
  request.query.is_hidden = IsHidden();
  ARROW_ASSIGN_OR_RAISE(const auto turn, pool_.Begin());
  ARROW_ASSIGN_OR_RAISE(const auto admin, admin_.Get());
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(request.topic, false));
  if (!topic) return NoTopic(request.topic);
  ARROW_ASSIGN_OR_RAISE(const auto partitions, WantedPartitions(*topic, request.partitions));
  const Asked asked = AskSpans(admin.get(), request.topic, partitions);
  if (asked.spans.empty() && !asked.silent.empty()) return asked.silent.begin()->second;
  ARROW_ASSIGN_OR_RAISE(const SearchProgress progress,
                        ProgressOf(request, admin.get(), *topic, asked.spans));
  ARROW_ASSIGN_OR_RAISE(auto search, Continue(request, progress));
  const auto removed = search->FollowLogStarts(asked.spans);
  ARROW_ASSIGN_OR_RAISE(SearchSlice slice, search->NextSlice(request.limit));
  ordered_json answer = {{"topic", request.topic}, {"exists", true}};
  ordered_json& records = answer["records"] = ordered_json::array();
  for (const FoundRecord& found : slice.records) {
    records.push_back(ToAnswer(found.view, RecordDetail::kRow, masking_, search->decoder()));
  }
  slice.records.clear();  // The client must outlive its messages.
  answer["frame"] = FrameOf(search->progress(), request, slice, asked, removed);
  answer["frame"]["undecoded"] = search->matcher().undecoded();
  if (const auto& why = search->matcher().unanswered(); !why.empty()) {
    answer["frame"]["registry_unknown"] = why;
  }
  if (const auto why = search->matcher().unfit(); !why.empty()) answer["frame"]["unfit"] = why;
  const bool over = slice.ended == SearchEnd::kEnd && slice.failed.empty();
  answer["cursor"] =
      over ? ordered_json(nullptr) : ordered_json(ToCursor(search->progress(), request));
  answer["took_ms"] = (BootClock::now() - since) / Millis{1};
  // One with a partition that failed begins again, with new connections.
  if (over || !slice.failed.empty()) {
    pool_.Close(std::move(search));
  } else {
    pool_.Keep(answer["cursor"], std::move(search));
  }
  return answer;
}

// ---- one record

Result<int64_t> NumberOf(const ApiRequest& api, size_t capture, const char* what) {
  const std::string& text = api.http.captures.at(capture);
  const auto number = ParseWhole<int64_t>(text);
  if (!number || *number < 0) return Status::Invalid("'", text, "' is not ", what);
  return *number;
}

ordered_json NoRecord(ordered_json answer, const std::string& why) {
  answer["exists"] = false;
  answer["reason"] = why;
  return answer;
}

Result<ordered_json> Searches::Record(const ApiRequest& api) {
  const std::string& name = api.http.captures.at(0);
  ARROW_ASSIGN_OR_RAISE(const int64_t partition, NumberOf(api, 1, "a partition"));
  ARROW_ASSIGN_OR_RAISE(const int64_t offset, NumberOf(api, 2, "an offset"));
  ARROW_ASSIGN_OR_RAISE(const auto turn, pool_.Begin());
  ARROW_ASSIGN_OR_RAISE(const auto admin, admin_.Get());
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name, false));
  if (!topic) return NoTopic(name);
  const auto id = static_cast<int32_t>(std::min<int64_t>(partition, INT32_MAX));
  ARROW_RETURN_NOT_OK(WantedPartitions(*topic, {id}));
  ARROW_ASSIGN_OR_RAISE(const kafka::OffsetSpan span, admin->SpanOf(name, id));
  ordered_json answer = {{"topic", name},    {"partition", id},
                         {"offset", offset}, {"log_start", span.log_start},
                         {"end", span.end},  {"exists", true}};
  const std::string place = "offset " + std::to_string(offset);
  if (offset < span.log_start) {
    return NoRecord(answer, "Kafka has removed " + place + ": its log starts at " +
                                std::to_string(span.log_start));
  }
  if (offset >= span.end) {
    return NoRecord(answer,
                    place + " is not written yet: the log ends at " + std::to_string(span.end));
  }
  ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(config_.registry));
  records::RecordDecoder decoder(registry.get());
  ARROW_ASSIGN_OR_RAISE(
      const bool found,
      ReadRecord(config_.kafka, name, id, offset, kRecordTimeout, [&](const auto& record) {
        answer["record"] = ToAnswer(record, RecordDetail::kWhole, masking_, &decoder);
      }));
  if (!found) {
    return NoRecord(answer, place + " has no record: it is a transaction's marker, or of an " +
                                "aborted one, or was compacted away");
  }
  const auto schema_id = answer["record"].find("schema_id");
  if (schema_id != answer["record"].end()) {
    const registry::LookUp schema = registry->ById(schema_id->get<int32_t>());
    if (schema.outcome == registry::LookUpOutcome::kFound) answer["schema"] = schema.schema.schema;
  }
  return answer;
}

}  // namespace

std::vector<ApiRoute> SearchRoutes(const World& world) {
  const auto searches = std::make_shared<Searches>(world);
  return {
      {"GET", "/api/topics/*/search",
       "Searches records for about a second; the answer's cursor continues the search",
       [searches](const ApiRequest& request) { return AsState(searches->Search(request)); }},
      {"GET", "/api/topics/*/records/*/*", "One record by partition and offset, with its bytes",
       [searches](const ApiRequest& request) { return AsState(searches->Record(request)); }},
  };
}

}  // namespace shopstream::console
