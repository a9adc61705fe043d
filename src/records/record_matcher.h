#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "kafka/record.h"
#include "records/record_filter.h"
#include "records/record_json.h"
#include "records/text_match.h"
#include "registry/client.h"

namespace shopstream::records {

// What records are searched for; all that is given must hold.
struct RecordQuery {
  std::optional<std::string> key;        // The whole key.
  std::optional<std::string> text;       // See TextMatch.
  std::optional<std::string> condition;  // See RecordFilter.
  // With hidden fields, keys and bytes cannot be searched: they may contain one.
  IsHidden is_hidden;
};

// Decides which records of a batch match a query. One thread.
class RecordMatcher {
 public:
  // Errors of RecordFilter::Open, and Refused for a hidden key. Both pointers are borrowed.
  static Result<std::unique_ptr<RecordMatcher>> Open(const RecordQuery& query, const Config& config,
                                                     const std::string& topic,
                                                     registry::Client* registry,
                                                     RecordDecoder* decoder);

  // One answer per record. Errors of RecordFilter::Matches. Without a condition, the registry's
  // silence is no error: texts are then searched in the bytes of values.
  Result<std::vector<bool>> Matches(const kafka::RecordBatch& batch);

  // Records so far whose values were searched as bytes, as they could not be decoded.
  int64_t undecoded() const { return undecoded_; }
  // Why the registry did not answer; empty: it did.
  const std::string& unanswered() const { return unanswered_; }
  // See RecordFilter.
  std::string unfit() const { return filter_ == nullptr ? "" : filter_->unfit(); }

 private:
  RecordMatcher(const RecordQuery& query, RecordDecoder* decoder);
  void FindText(const kafka::RecordBatch& batch, const std::map<int32_t, DecodedGroup>& groups,
                std::vector<bool>* matches);

  const RecordQuery query_;
  RecordDecoder* const decoder_;
  std::unique_ptr<RecordFilter> filter_;  // Null: no condition.
  std::optional<TextMatch> text_;
  int64_t undecoded_ = 0;
  std::string unanswered_;
};

}  // namespace shopstream::records
