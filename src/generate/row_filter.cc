#include "generate/row_filter.h"

#include <algorithm>
#include <string_view>

namespace shopstream::generate {
namespace {

using Test = Condition::Test;

// Compares exactly, unless one has more digits than fit; then as doubles.
int Compare(const Decimal& a, const Decimal& b) {
  Decimal x = a, y = b;
  bool exact = true;
  for (; exact && x.scale < y.scale; ++x.scale) {
    exact = !__builtin_mul_overflow(x.digits, Decimal::Digits{10}, &x.digits);
  }
  for (; exact && y.scale < x.scale; ++y.scale) {
    exact = !__builtin_mul_overflow(y.digits, Decimal::Digits{10}, &y.digits);
  }
  if (exact) return x.digits < y.digits ? -1 : x.digits > y.digits;
  return ToDouble(a) < ToDouble(b) ? -1 : ToDouble(a) > ToDouble(b);
}

bool MeetsBound(Test test, int order) {
  switch (test) {
    case Test::kAbove:
      return order > 0;
    case Test::kAtLeast:
      return order >= 0;
    case Test::kBelow:
      return order < 0;
    default:
      return order <= 0;
  }
}

// Whether `pattern` describes the whole text: * is any text, ? any one character (byte).
bool Matches(std::string_view text, std::string_view pattern) {
  size_t at = 0, next = 0, star = std::string_view::npos, resume = 0;
  while (at < text.size()) {
    if (next < pattern.size() && pattern[next] == '*') {
      star = next++;
      resume = at;
    } else if (next < pattern.size() && (pattern[next] == '?' || pattern[next] == text[at])) {
      ++next, ++at;
    } else if (star != std::string_view::npos) {
      next = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', next) == std::string_view::npos;
}

bool MeetsText(const Condition& condition, std::string_view value) {
  const bool is_pattern = condition.test == Test::kLike || condition.test == Test::kNotLike;
  const bool negated = condition.test == Test::kIsNot || condition.test == Test::kNotLike;
  const bool found =
      std::any_of(condition.values.begin(), condition.values.end(), [&](const std::string& wanted) {
        return is_pattern ? Matches(value, wanted) : value == wanted;
      });
  return found != negated;
}

}  // namespace

Result<int64_t> KeepWhere(const std::vector<Condition>& conditions, SourceRows* rows) {
  const int64_t before = rows->size();
  for (const Condition& condition : conditions) {
    ARROW_ASSIGN_OR_RAISE(const TextPtr text, rows->Text(condition.column));
    const bool by_text = condition.test < Test::kAbove;
    const char point = rows->DecimalPoint(condition.column);
    std::vector<bool> mask(static_cast<size_t>(rows->size()));
    for (int64_t row = 0; row < rows->size(); ++row) {
      const auto value = ValueAt(*text, row);
      bool meets = !value && by_text && MeetsText(condition, "");
      if (value && by_text) meets = MeetsText(condition, *value);
      if (value && !by_text) {
        const auto number = ParseDecimal(*value, point);
        if (!number) {
          ARROW_ASSIGN_OR_RAISE(const std::string where, rows->ValueFor(row, condition.column));
          return Status::Invalid(where, " is not a number, which the condition in 'where' needs");
        }
        meets = MeetsBound(condition.test, Compare(*number, condition.bound));
      }
      mask[static_cast<size_t>(row)] = meets;
    }
    if (std::find(mask.begin(), mask.end(), false) == mask.end()) continue;
    ARROW_RETURN_NOT_OK(rows->Keep(mask));
  }
  return before - rows->size();
}

}  // namespace shopstream::generate
