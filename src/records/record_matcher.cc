#include "records/record_matcher.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::records {
namespace {

// Only their bytes are searched.
std::map<int32_t, DecodedGroup> Undecoded(const kafka::RecordBatch& batch) {
  DecodedGroup all;
  for (size_t i = 0; i < batch.records.size(); ++i) {
    all.places.push_back(i);
    all.records.push_back(&batch.records[i]);
  }
  return {{kUndecoded, std::move(all)}};
}

}  // namespace

RecordMatcher::RecordMatcher(const RecordQuery& query, RecordDecoder* decoder)
    : query_(query), decoder_(decoder) {
  if (query.text) text_.emplace(*query.text);
}

Result<std::unique_ptr<RecordMatcher>> RecordMatcher::Open(const RecordQuery& query,
                                                           const Config& config,
                                                           const std::string& topic,
                                                           registry::Client* registry,
                                                           RecordDecoder* decoder) {
  std::unique_ptr<RecordMatcher> matcher(new RecordMatcher(query, decoder));
  if (query.key && query.is_hidden) {
    return Refused("keys may contain a hidden field, so that nobody can search for one");
  }
  if (query.condition) {
    ARROW_ASSIGN_OR_RAISE(matcher->filter_, RecordFilter::Open(*query.condition, config, topic,
                                                               registry, decoder, query.is_hidden));
  }
  return matcher;
}

void RecordMatcher::FindText(const kafka::RecordBatch& batch,
                             const std::map<int32_t, DecodedGroup>& groups,
                             std::vector<bool>* matches) {
  for (const auto& [schema_id, group] : groups) {
    std::vector<bool> found(group.records.size());
    if (group.values != nullptr) text_->FindIn(*group.values, &found);
    for (size_t i = 0; i < found.size(); ++i) {
      const size_t place = group.places[i];
      const bool in_bytes =
          !query_.is_hidden && text_->IsInBytesOf(batch.records[place],
                                                  /*with_value=*/group.values == nullptr);
      (*matches)[place] = (*matches)[place] && (found[i] || in_bytes);
    }
  }
}

Result<std::vector<bool>> RecordMatcher::Matches(const kafka::RecordBatch& batch) {
  std::vector<bool> matches(batch.records.size(), true);
  if (query_.key) {
    for (size_t i = 0; i < matches.size(); ++i) {
      const auto& key = batch.records[i].key;
      matches[i] = key && AsText(*key) == *query_.key;
    }
    // Most keys are rare.
    if (std::find(matches.begin(), matches.end(), true) == matches.end()) return matches;
  }
  if (!text_ && filter_ == nullptr) return matches;
  auto groups = DecodeBatch(batch, decoder_, query_.is_hidden);
  unanswered_.clear();
  if (IsUnavailable(groups.status()) && filter_ == nullptr) {
    unanswered_ = groups.status().message();
    groups = Undecoded(batch);
  }
  ARROW_RETURN_NOT_OK(groups);
  if (const auto group = groups->find(kUndecoded); group != groups->end()) {
    undecoded_ += std::count_if(group->second.records.begin(), group->second.records.end(),
                                [](const auto* record) { return record->value.has_value(); });
  }
  if (filter_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto fits, filter_->Matches(*groups, matches.size()));
    for (size_t i = 0; i < matches.size(); ++i) matches[i] = matches[i] && fits[i];
  }
  if (text_) FindText(batch, *groups, &matches);
  return matches;
}

}  // namespace shopstream::records
