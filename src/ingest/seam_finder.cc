#include "ingest/seam_finder.h"

#include <algorithm>

namespace shopstream::ingest {

bool AreSame(const SeamContent& one, const SeamContent& other) {
  if (one.timestamp_ms != other.timestamp_ms) return false;
  bool compared = false;
  const auto agree = [&compared](int64_t a, int64_t b) {
    if (a == 0 || b == 0) return true;
    compared = true;
    return a == b;
  };
  const bool headers_agree = one.headers == 0 || other.headers == 0 || one.headers == other.headers;
  return agree(one.record, other.record) && agree(one.row, other.row) && headers_agree && compared;
}

SeamFinder::SeamFinder(std::vector<SeamRow> rows, bool complete, int64_t from, bool from_start)
    : rows_(std::move(rows)), from_start_(from_start), anchored_(complete), taken_(rows_.size()) {
  seam_.below = from;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const SeamContent& content = rows_[row].content;
    if (rows_[row].erased) continue;
    ++waiting_[content.timestamp_ms];
    Waiting& rows_by_hash = content.record != 0 ? by_record_ : by_row_;
    rows_by_hash[{content.timestamp_ms, content.record != 0 ? content.record : content.row}].insert(
        row);
    if (++left_ == kAnchorRows) anchor_rows_ = row + 1;
  }
  if (left_ < kAnchorRows) anchor_rows_ = rows_.size() + 1;
  SetLatestOlder();
}

// The rows show how far out of order the log's timestamps are. The records before them are at most
// as far out of order, so they are not later than the anchor's rows by more than that.
void SeamFinder::SetLatestOlder() {
  std::optional<int64_t> latest, of_anchor;
  int64_t disorder = 0;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const std::optional<int64_t>& sent_ms = rows_[row].content.timestamp_ms;
    if (rows_[row].erased || !sent_ms) continue;
    latest = std::max(latest, sent_ms);
    disorder = std::max(disorder, *latest - *sent_ms);
    if (row < anchor_rows_) of_anchor = latest;
  }
  if (of_anchor) latest_older_ = std::min(*latest, *of_anchor + disorder);
}

bool SeamFinder::Wants(const std::optional<int64_t>& timestamp_ms) const {
  return waiting_.contains(timestamp_ms);
}

void SeamFinder::Add(const MirrorRecord& record) {
  if (refuted_) return;
  ++added_;
  anchored_ ? Compare(record) : SeekAnchor(record);
}

// Whether the recent records are copies of the rows from this one on.
bool SeamFinder::IsAnchor(size_t first_row) const {
  if (first_row + recent_.size() > rows_.size()) return false;
  size_t same = 0;
  for (size_t i = recent_.size(); i-- > 0;) {
    const SeamRow& row = rows_[first_row + i];
    if (row.erased) continue;
    if (!AreSame(row.content, recent_[i].content)) return false;
    ++same;
  }
  return same >= kAnchorRows;
}

void SeamFinder::SeekAnchor(const MirrorRecord& record) {
  recent_.push_back(record);
  if (recent_.size() > anchor_rows_) {
    const std::optional<int64_t>& sent_ms = recent_.front().content.timestamp_ms;
    refuted_ = latest_older_ && sent_ms > latest_older_;
    if (refuted_) return;
    recent_.pop_front();
  }
  if (recent_.size() < anchor_rows_) return;
  std::optional<size_t> first_row;
  if (IsAnchor(0)) first_row = 0;
  const bool at_start = from_start_ && added_ == static_cast<int64_t>(recent_.size());
  for (size_t row = 1; at_start && !first_row && row + recent_.size() <= rows_.size(); ++row) {
    if (IsAnchor(row)) first_row = row;
  }
  if (!first_row) return;
  anchored_ = true;
  for (size_t i = 0; i < recent_.size(); ++i) Take(*first_row + i, recent_[i]);
  recent_.clear();
}

std::optional<size_t> SeamFinder::FindRow(const SeamContent& content) const {
  std::optional<size_t> first;
  const auto look = [&](const Waiting& rows, int64_t hash) {
    const auto found = rows.find({content.timestamp_ms, hash});
    if (found == rows.end()) return;
    for (const size_t row : found->second) {
      if (first && row > *first) return;
      if (AreSame(rows_[row].content, content)) first = row;
    }
  };
  look(by_record_, content.record);
  look(by_row_, content.row);
  return first;
}

void SeamFinder::StopWaiting(size_t row) {
  const SeamContent& content = rows_[row].content;
  const auto remove = [&](Waiting* rows, int64_t hash) {
    const auto found = rows->find({content.timestamp_ms, hash});
    if (found == rows->end() || found->second.erase(row) == 0 || !found->second.empty()) return;
    rows->erase(found);
  };
  remove(&by_record_, content.record);
  remove(&by_row_, content.row);
  if (--waiting_.at(content.timestamp_ms) == 0) waiting_.erase(content.timestamp_ms);
  --left_;
}

void SeamFinder::Take(size_t row, const MirrorRecord& record) {
  taken_[row] = true;
  expected_ = row + 1;
  if (!rows_[row].erased) {
    StopWaiting(row);
    ++seam_.compared;
    if (!first_new_) settled_ = std::max(settled_.value_or(0), row);
  }
  if (first_new_) {
    // One more than are allowed shows that there are too many.
    if (seam_.copies.size() <= kMostCopies) {
      seam_.copies.emplace(record.offset, record.content.record);
    }
    return;
  }
  seam_.below = record.offset + 1;
  seam_.last = record;
}

// A record between the copies of two rows is that of the erased row between them, if there is one.
void SeamFinder::Compare(const MirrorRecord& record) {
  if (const auto row = FindRow(record.content)) return Take(*row, record);
  if (expected_ < rows_.size() && rows_[expected_].erased) return Take(expected_, record);
  expected_ = rows_.size();
  if (first_new_) return;
  first_new_ = record.offset;
  seam_.below = record.offset;
}

// Which record an erased row has is certain only between copies that no new record precedes.
bool SeamFinder::IsErasedUncertain() const {
  for (size_t row = settled_ ? *settled_ + 1 : 0; row < rows_.size(); ++row) {
    if (rows_[row].erased && (taken_[row] || first_new_)) return true;
  }
  return false;
}

SeamFinder::Verdict SeamFinder::Finish(Seam* seam) const {
  if (!anchored_) return Verdict::kNoAnchor;
  *seam = seam_;
  size_t after_taken = rows_.size();
  while (after_taken > 0 && !taken_[after_taken - 1]) --after_taken;
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (!taken_[row]) ++(row < after_taken ? seam->absent : seam->ahead);
  }
  if (IsErasedUncertain()) return Verdict::kErased;
  if (seam->copies.size() > kMostCopies) return Verdict::kTooMany;
  if (seam->compared == 0 && left_ > 0 && added_ > 0) return Verdict::kNoneFound;
  return seam->ahead > 0 ? Verdict::kAhead : Verdict::kFound;
}

}  // namespace shopstream::ingest
