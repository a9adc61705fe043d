#include "observe/coverage.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace shopstream::observe {
namespace {

using Words = OffsetWords;
using OnRange = std::function<void(int64_t begin, int64_t end)>;

constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();

struct Span {
  int64_t begin = 0, end = kForEver;
};

// The bits of the 64 offsets starting at `first` that are in the span.
uint64_t MaskOf(const Span& span, int64_t first) {
  const auto below = [&](int64_t bound) -> uint64_t {  // Bits of offsets below the bound.
    if (bound <= first) return 0;
    return bound - first >= 64 ? ~uint64_t{0} : (uint64_t{1} << (bound - first)) - 1;
  };
  return below(span.end) & ~below(span.begin);
}

// Joins adjacent bits, across words, into ranges.
class RangeJoiner {
 public:
  explicit RangeJoiner(OnRange on_range) : on_range_(std::move(on_range)) {}

  void Add(uint64_t bits, int64_t first) {
    while (bits != 0) {
      const int from = __builtin_ctzll(bits);
      const uint64_t rest = ~(bits >> from);
      const int length = rest == 0 ? 64 : std::min(__builtin_ctzll(rest), 64 - from);
      Extend(first + from, first + from + length);
      if (from + length == 64) break;
      bits &= ~uint64_t{0} << (from + length);
    }
  }
  void Finish() {
    if (begin_ < end_) on_range_(begin_, end_);
    begin_ = end_ = 0;
  }

 private:
  void Extend(int64_t begin, int64_t end) {
    if (begin_ < end_ && begin == end_) {
      end_ = end;
      return;
    }
    Finish();
    begin_ = begin;
    end_ = end;
  }

  OnRange on_range_;
  int64_t begin_ = 0, end_ = 0;
};

uint64_t WordOf(const OffsetSet::Page* page, int64_t word) {
  return page == nullptr ? 0 : (*page)[static_cast<size_t>(word)];
}

// Ranges that may overlap, as their union, ascending.
class RangeUnion {
 public:
  void Add(int64_t begin, int64_t end) {
    if (begin < end) ranges_.emplace_back(begin, end);
  }
  void ForEach(const OnRange& on_range) {
    std::sort(ranges_.begin(), ranges_.end());
    for (size_t i = 0; i < ranges_.size();) {
      auto [begin, end] = ranges_[i];
      for (++i; i < ranges_.size() && ranges_[i].first <= end; ++i) {
        end = std::max(end, ranges_[i].second);
      }
      on_range(begin, end);
    }
  }

 private:
  std::vector<std::pair<int64_t, int64_t>> ranges_;
};

struct Rule {
  Difference difference;
  Span span;
  uint64_t (*select)(const Words&);
  bool with_kafka = false;  // Lost offsets are not compared with Kafka.
};

// Below the log start only the lake has data; [log start, end) can be compared with Kafka.
std::vector<Rule> RulesFor(const CoverageBounds& bounds) {
  std::vector<Rule> rules = {
      {Difference::kTwiceInBronze, {}, [](const Words& w) { return w.twice_in_bronze; }},
      {Difference::kTwiceInQuarantine, {}, [](const Words& w) { return w.twice_in_quarantine; }},
      {Difference::kInBoth, {}, [](const Words& w) { return w.bronze & w.waiting(); }},
      {Difference::kBeyondProgress,
       {bounds.txn.value_or(0), kForEver},
       [](const Words& w) { return w.bronze; }},
      {Difference::kTwiceInBronze,
       {0, bounds.covered_below},
       [](const Words& w) { return w.lake(); }},
  };
  if (!bounds.log_start || !bounds.txn) return rules;
  const Span compared{std::max(*bounds.log_start, bounds.covered_below),
                      std::min(*bounds.txn, bounds.end.value_or(kForEver))};
  rules.push_back(
      {Difference::kMissing, compared, [](const Words& w) { return w.kafka & ~w.lake(); }, true});
  if (!bounds.compacted) {
    rules.push_back({Difference::kNotInKafka, compared,
                     [](const Words& w) { return w.lake() & ~w.kafka; }, true});
  }
  rules.push_back({Difference::kOtherContent, compared,
                   [](const Words& w) { return w.lake() & w.kafka & w.other_content; }, true});
  return rules;
}

}  // namespace

const char* Name(Difference difference) {
  switch (difference) {
    case Difference::kMissing:
      return "missing";
    case Difference::kExpired:
      return "expired";
    case Difference::kVanished:
      return "vanished";
    case Difference::kTwiceInBronze:
      return "twice_in_bronze";
    case Difference::kTwiceInQuarantine:
      return "twice_in_quarantine";
    case Difference::kInBoth:
      return "in_bronze_and_quarantine";
    case Difference::kNotInKafka:
      return "not_in_kafka";
    case Difference::kBeyondProgress:
      return "beyond_progress";
    case Difference::kBeyondKafka:
      return "beyond_kafka";
    case Difference::kOtherContent:
      return "other_content";
    case Difference::kNotCovered:
      return "not_covered";
  }
  return "unknown";
}

const char* Meaning(Difference difference) {
  switch (difference) {
    case Difference::kMissing:
      return "in Kafka and below the lake's progress, but in no table";
    case Difference::kExpired:
      return "lost to the lake: expired before ingest, or accepted as lost, or never written";
    case Difference::kVanished:
      return "no longer in Kafka, and the lake has fewer rows here than ingest wrote";
    case Difference::kTwiceInBronze:
      return "more than one row in Bronze and its side tables, or a row that was erased";
    case Difference::kTwiceInQuarantine:
      return "more than one row in quarantine, or a row that was erased";
    case Difference::kInBoth:
      return "in Bronze and in quarantine, but no replay added it to Bronze";
    case Difference::kNotInKafka:
      return "in the lake, but Kafka has no record at this offset";
    case Difference::kBeyondProgress:
      return "in Bronze at or beyond the progress recorded there";
    case Difference::kBeyondKafka:
      return "the lake has read further than Kafka's log reaches: Kafka lost records";
    case Difference::kOtherContent:
      return "Kafka has another record at this offset than the lake";
    case Difference::kNotCovered:
      return "below the seam of an adopted mirror, but the lake has no row sent at this time";
  }
  return "unknown";
}

void ForEachNotLost(const std::vector<OffsetRange>& lost, int64_t begin, int64_t end,
                    const OnRange& on_part) {
  for (const OffsetRange& range : lost) {
    if (range.begin >= end) break;
    if (range.end <= begin) continue;
    if (begin < range.begin) on_part(begin, range.begin);
    begin = std::max(begin, range.end);
  }
  if (begin < end) on_part(begin, end);
}

std::vector<int64_t> PartitionCoverage::Pages() const {
  std::set<int64_t> pages;
  for (const OffsetSet* set : {&bronze_, &quarantine_, &replayed_, &kafka_}) {
    for (const auto& page : set->pages()) pages.insert(page.first);
  }
  return {pages.begin(), pages.end()};
}

void PartitionCoverage::ForEachWord(const OnWords& on_words) const {
  for (const int64_t page : Pages()) {
    const auto* bronze = bronze_.FindPage(page);
    const auto* quarantine = quarantine_.FindPage(page);
    const auto* kafka = kafka_.FindPage(page);
    const auto* replayed = replayed_.FindPage(page);
    const auto* twice_in_bronze = twice_in_bronze_.FindPage(page);
    const auto* twice_in_quarantine = twice_in_quarantine_.FindPage(page);
    const auto* other_content = other_content_.FindPage(page);
    for (int64_t word = 0; word < OffsetSet::kWordsPerPage; ++word) {
      on_words(page * OffsetSet::kOffsetsPerPage + word * 64,
               Words{WordOf(bronze, word), WordOf(quarantine, word), WordOf(kafka, word),
                     WordOf(twice_in_bronze, word), WordOf(twice_in_quarantine, word),
                     WordOf(replayed, word), WordOf(other_content, word)});
    }
  }
}

std::optional<int64_t> PartitionCoverage::FirstInLake() const {
  std::optional<int64_t> first_offset;
  ForEachWord([&](int64_t first, const Words& words) {
    if (first_offset || words.lake() == 0) return;
    first_offset = first + __builtin_ctzll(words.lake());
  });
  return first_offset;
}

// Calls `on_hole` with each range of offsets that `select` does not cover.
void PartitionCoverage::FindHoles(const OffsetRange& within, const Select& select,
                                  const OnRange& on_hole) const {
  int64_t covered_to = within.begin;
  const auto end_hole = [&](int64_t begin) {
    if (covered_to < begin) on_hole(covered_to, begin);
  };
  RangeJoiner covered([&](int64_t begin, int64_t end) {
    end_hole(begin);
    covered_to = end;
  });
  ForEachWord([&](int64_t first, const Words& words) {
    covered.Add(select(first, words) & MaskOf({within.begin, within.end}, first), first);
  });
  covered.Finish();
  end_hole(within.end);
}

// What ingest passed without a record is neither in the lake nor in Kafka. More holes than that are
// rows that vanished; a single one is identified by the difference of the sums.
void PartitionCoverage::CheckLedger(int32_t partition, const CoverageBounds& bounds,
                                    bool has_extra_rows, const OnFinding& found) const {
  const tables::EmptyOffsets& ledger = *bounds.empty;
  const int64_t log_start = *bounds.log_start;
  const auto covered = [log_start](int64_t first, const Words& words) {
    return words.lake() | (words.kafka & MaskOf({log_start, kForEver}, first));
  };
  const auto visit_holes = [&](int64_t begin, int64_t end, const OnRange& on_hole) {
    FindHoles({partition, begin, end}, covered,
              [&](int64_t b, int64_t e) { ForEachNotLost(bounds.lost, b, e, on_hole); });
  };
  tables::EmptyOffsets holes{ledger.from, ledger.to};
  visit_holes(ledger.from, ledger.to, [&](int64_t b, int64_t e) { holes.Skip(b, e); });
  if (holes == ledger) return;

  const auto report = [&](Difference difference, int64_t begin, int64_t end) {
    found({difference, {partition, begin, end}});
  };
  const int64_t below_kafka = std::max(ledger.from, std::min(log_start, ledger.to));
  if (holes.count <= ledger.count) {
    // Rows at offsets that held no record. Above the log start they were found already.
    if (has_extra_rows) return;
    const int64_t single = tables::EmptyOffsets::Minus(ledger.sum, holes.sum);
    const bool is_single = ledger.count - holes.count == 1 && single < ledger.to;
    report(Difference::kNotInKafka, is_single ? single : ledger.from,
           is_single ? single + 1 : ledger.to);
    return;
  }
  const int64_t single = tables::EmptyOffsets::Minus(holes.sum, ledger.sum);
  if (holes.count - ledger.count == 1 && ledger.from <= single && single < ledger.to) {
    report(Difference::kVanished, single, single + 1);
    return;
  }
  bool reported = false;
  const auto vanished = [&](int64_t b, int64_t e) {
    reported = true;
    report(Difference::kVanished, b, e);
  };
  visit_holes(ledger.from, below_kafka, vanished);
  if (!reported) visit_holes(below_kafka, ledger.to, vanished);
}

void PartitionCoverage::Compare(int32_t partition, const CoverageBounds& bounds,
                                const OnFinding& found) const {
  const auto report = [&](Difference difference, int64_t begin, int64_t end) {
    if (begin < end) found({difference, {partition, begin, end}});
  };
  bool has_extra_rows = false;
  for (const Rule& rule : RulesFor(bounds)) {
    const auto found_by_rule = [&](int64_t begin, int64_t end) {
      has_extra_rows = has_extra_rows || rule.difference == Difference::kNotInKafka;
      report(rule.difference, begin, end);
    };
    RangeJoiner joiner([&](int64_t begin, int64_t end) {
      if (!rule.with_kafka) return found_by_rule(begin, end);
      ForEachNotLost(bounds.lost, begin, end, found_by_rule);
    });
    ForEachWord([&](int64_t first, const Words& words) {
      joiner.Add(rule.select(words) & MaskOf(rule.span, first), first);
    });
    joiner.Finish();
  }
  if (!bounds.log_start || !bounds.txn) return;

  RangeUnion expired;
  const auto add_expired = [&](int64_t begin, int64_t end) { expired.Add(begin, end); };
  for (const OffsetRange& lost : bounds.lost) expired.Add(lost.begin, lost.end);
  const bool has_ledger = bounds.empty && bounds.empty->to == *bounds.txn;
  // Below the ledger an offset that held no record looks like a lost one. Kafka had deleted
  // anything before the lake's first row before the lake existed.
  const int64_t unexplained =
      std::min({*bounds.log_start, *bounds.txn, has_ledger ? bounds.empty->from : kForEver});
  if (const auto first = FirstInLake(); first && *first < unexplained) {
    FindHoles(
        {partition, *first, unexplained}, [](int64_t, const Words& words) { return words.lake(); },
        add_expired);
  }
  ForEachNotLost(bounds.lost, *bounds.txn, *bounds.log_start, add_expired);
  expired.ForEach([&](int64_t b, int64_t e) { report(Difference::kExpired, b, e); });
  if (has_ledger) CheckLedger(partition, bounds, has_extra_rows, found);
  if (bounds.end) {
    ForEachNotLost(bounds.lost, *bounds.end, *bounds.txn,
                   [&](int64_t b, int64_t e) { report(Difference::kBeyondKafka, b, e); });
  }
}

}  // namespace shopstream::observe
