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

struct Rule {
  Difference difference;
  Span span;
  uint64_t (*select)(const Words&);
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
  };
  if (!bounds.log_start || !bounds.txn) return rules;
  const Span compared{*bounds.log_start, std::min(*bounds.txn, bounds.end.value_or(kForEver))};
  rules.push_back(
      {Difference::kMissing, compared, [](const Words& w) { return w.kafka & ~w.lake(); }});
  if (!bounds.compacted) {
    rules.push_back(
        {Difference::kNotInKafka, compared, [](const Words& w) { return w.lake() & ~w.kafka; }});
  }
  return rules;
}

}  // namespace

const char* Name(Difference difference) {
  switch (difference) {
    case Difference::kMissing:
      return "missing";
    case Difference::kExpired:
      return "expired";
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
  }
  return "unknown";
}

const char* Meaning(Difference difference) {
  switch (difference) {
    case Difference::kMissing:
      return "in Kafka and below the lake's progress, but in no table";
    case Difference::kExpired:
      return "no longer in Kafka and not in the lake: expired before ingest, or never written";
    case Difference::kTwiceInBronze:
      return "more than one row in Bronze";
    case Difference::kTwiceInQuarantine:
      return "more than one row in quarantine";
    case Difference::kInBoth:
      return "in Bronze and in quarantine, but no replay added it to Bronze";
    case Difference::kNotInKafka:
      return "in the lake, but Kafka has no record at this offset";
    case Difference::kBeyondProgress:
      return "in Bronze at or beyond the progress recorded there";
    case Difference::kBeyondKafka:
      return "the lake has read further than Kafka's log reaches: Kafka lost records";
  }
  return "unknown";
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
    for (int64_t word = 0; word < OffsetSet::kWordsPerPage; ++word) {
      on_words(page * OffsetSet::kOffsetsPerPage + word * 64,
               Words{WordOf(bronze, word), WordOf(quarantine, word), WordOf(kafka, word),
                     WordOf(twice_in_bronze, word), WordOf(twice_in_quarantine, word),
                     WordOf(replayed, word)});
    }
  }
}

// Holes in [0, known_end) after the lake's first row: Kafka had deleted anything earlier before the
// lake existed.
void PartitionCoverage::FindHoles(int64_t known_end, const OnRange& on_hole) const {
  int64_t covered_to = -1;
  RangeJoiner covered([&](int64_t begin, int64_t end) {
    if (covered_to >= 0) on_hole(covered_to, begin);
    covered_to = end;
  });
  ForEachWord([&](int64_t first, const Words& words) {
    covered.Add(words.lake() & MaskOf({0, known_end}, first), first);
  });
  covered.Finish();
  if (covered_to >= 0) on_hole(covered_to, known_end);
}

void PartitionCoverage::Compare(int32_t partition, const CoverageBounds& bounds,
                                const OnFinding& found) const {
  const auto report = [&](Difference difference, int64_t begin, int64_t end) {
    if (begin < end) found({difference, {partition, begin, end}});
  };
  for (const Rule& rule : RulesFor(bounds)) {
    RangeJoiner joiner([&](int64_t b, int64_t e) { report(rule.difference, b, e); });
    ForEachWord([&](int64_t first, const Words& words) {
      joiner.Add(rule.select(words) & MaskOf(rule.span, first), first);
    });
    joiner.Finish();
  }
  if (!bounds.log_start || !bounds.txn) return;
  FindHoles(std::min(*bounds.log_start, *bounds.txn),
            [&](int64_t b, int64_t e) { report(Difference::kExpired, b, e); });
  report(Difference::kExpired, *bounds.txn, *bounds.log_start);
  if (bounds.end) report(Difference::kBeyondKafka, *bounds.end, *bounds.txn);
}

}  // namespace shopstream::observe
