#include "generate/synthetic_source.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/util/utf8.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

constexpr int64_t kStart = 1'761'264'000'000;  // 2025-10-24T00:00:00Z, a Friday.

struct Event {
  std::string event_id, region, product_id, product_name, currency;
  int32_t user_id = 0, quantity = 0;
  double amount = 0;
  int64_t timestamp = 0;
  auto operator<=>(const Event&) const = default;
};

template <typename ArrayType>
const ArrayType& Column(const arrow::RecordBatch& rows, const char* name) {
  return static_cast<const ArrayType&>(*rows.GetColumnByName(name));
}

void AppendEvents(const arrow::RecordBatch& rows, std::vector<Event>* events) {
  const auto text = [&](const char* name, int64_t row) {
    return Column<arrow::StringArray>(rows, name).GetString(row);
  };
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    events->push_back({text("event_id", row), text("region", row), text("product_id", row),
                       text("product_name", row), text("currency", row),
                       Column<arrow::Int32Array>(rows, "user_id").Value(row),
                       Column<arrow::Int32Array>(rows, "quantity").Value(row),
                       Column<arrow::DoubleArray>(rows, "amount").Value(row),
                       Column<arrow::TimestampArray>(rows, "timestamp").Value(row)});
  }
}

struct Made {
  std::vector<Event> events;
  std::vector<WireFault> wire_faults;  // Their rows counted over all batches.
  int64_t malformed = 0, late = 0, duplicates = 0;
};

Made Make(
    const SyntheticOptions& options, int64_t count, int64_t batch_rows = 4096,
    std::function<int64_t()> now = [] { return kStart; }) {
  Made made;
  auto source = OpenSyntheticSource(*BuiltInCatalogue(), *BuiltInShoppers(), options, now);
  EXPECT_TRUE(source.ok()) << source.status();
  while (static_cast<int64_t>(made.events.size()) < count) {
    const auto before = static_cast<int64_t>(made.events.size());
    auto batch = (*source)->Next(std::min(batch_rows, count - before));
    EXPECT_TRUE(batch.ok()) << batch.status();
    EXPECT_TRUE(batch->rows->schema()->Equals(*PurchaseEventSchema()));
    EXPECT_TRUE(batch->rows->Validate().ok());
    AppendEvents(*batch->rows, &made.events);
    for (WireFault fault : batch->wire_faults) {
      fault.row += static_cast<int32_t>(before);
      made.wire_faults.push_back(fault);
    }
    made.malformed += batch->malformed;
    made.late += batch->late;
    made.duplicates += batch->duplicates;
  }
  return made;
}

SyntheticOptions From(int64_t start, uint64_t seed = 1) {
  return {.seed = seed, .start_millis = start};
}

TEST(SyntheticSource, EqualSeedAndStartGiveEqualEvents) {
  SyntheticOptions options = From(kStart);
  options.late_share = options.duplicate_share = options.malformed_share = 0.1;
  const Made one = Make(options, 10'000), other = Make(options, 10'000, /*batch_rows=*/77);
  EXPECT_TRUE(one.events == other.events);
  ASSERT_EQ(one.wire_faults.size(), other.wire_faults.size());
  for (size_t i = 0; i < one.wire_faults.size(); ++i) {
    EXPECT_EQ(one.wire_faults[i].row, other.wire_faults[i].row);
    EXPECT_EQ(one.wire_faults[i].random, other.wire_faults[i].random);
  }
  EXPECT_FALSE(one.events == Make(From(kStart, /*seed=*/2), 10'000).events);
}

TEST(SyntheticSource, EveryIdIsDistinct) {
  std::set<std::string> ids;
  for (const Event& event : Make(From(kStart), 100'000).events) ids.insert(event.event_id);
  EXPECT_EQ(ids.size(), 100'000u);
}

TEST(SyntheticSource, CurrencyFollowsRegionAndAmountsItsSmallestUnit) {
  const std::map<std::string, std::string> currency = {
      {"US", "USD"}, {"EU", "EUR"}, {"ASIA", "JPY"}};
  std::map<std::string, double> mean;
  std::map<std::string, int> count;
  for (const Event& event : Make(From(kStart), 50'000).events) {
    ASSERT_TRUE(currency.contains(event.region)) << event.region;
    EXPECT_EQ(event.currency, currency.at(event.region));
    const double cents = event.amount * 100;
    EXPECT_NEAR(cents, std::round(cents), 1e-6) << event.amount;
    if (event.currency == "JPY") {
      EXPECT_EQ(event.amount, std::round(event.amount));
    }
    EXPECT_GT(event.amount, 0);
    EXPECT_GE(event.quantity, 1);
    mean[event.region] += event.amount;
    ++count[event.region];
  }
  for (auto& [region, sum] : mean) sum /= count[region];
  EXPECT_NEAR(mean["ASIA"] / mean["US"], 151, 20);
  EXPECT_NEAR(mean["EU"] / mean["US"], 0.92, 0.12);
}

TEST(SyntheticSource, ProductsSellByTheirPopularity) {
  const Catalogue catalogue = *BuiltInCatalogue();
  double sum = 0;
  for (const Product& product : catalogue.products) sum += product.popularity;
  constexpr int kCount = 300'000;
  std::map<std::string, int> sold;
  for (const Event& event : Make(From(kStart), kCount).events) ++sold[event.product_id];
  for (const Product& product : catalogue.products) {
    const double expected = kCount * product.popularity / sum;
    EXPECT_NEAR(sold[product.id], expected, 6 * std::sqrt(expected)) << product.id;
  }
}

TEST(SyntheticSource, UsersMostlyBuyAtHome) {
  std::map<int32_t, std::map<std::string, int>> regions_of_user;
  for (const Event& event : Make(From(kStart), 200'000).events) {
    ++regions_of_user[event.user_id][event.region];
  }
  int home = 0, away = 0;
  for (const auto& [user, regions] : regions_of_user) {
    int most = 0, all = 0;
    for (const auto& [region, count] : regions) most = std::max(most, count), all += count;
    home += most;
    away += all - most;
  }
  EXPECT_NEAR(static_cast<double>(away) / (home + away), 0.04, 0.02);
}

TEST(SyntheticSource, RegionsFollowTheirOwnDay) {
  std::map<std::string, std::map<int64_t, int>> by_hour;
  for (const Event& event : Make(From(kStart), 1'000'000).events) {
    ++by_hour[event.region][(event.timestamp - kStart) / kHourMillis];
  }
  // 20:00 against 4:00 in each region's local time.
  EXPECT_GT(by_hour["US"][2], 5 * by_hour["US"][10]);
  EXPECT_GT(by_hour["EU"][19], 5 * by_hour["EU"][3]);
  EXPECT_GT(by_hour["ASIA"][11], 5 * by_hour["ASIA"][19]);
}

TEST(SyntheticSource, EventTimeAdvancesFromTheStart) {
  const Made made = Make(From(kStart), 200'000);
  EXPECT_GE(made.events.front().timestamp, kStart);
  EXPECT_LT(made.events.front().timestamp, kStart + 60'000);
  for (size_t i = 1; i < made.events.size(); ++i) {
    ASSERT_GE(made.events[i].timestamp, made.events[i - 1].timestamp);
  }
  const int64_t hours = (made.events.back().timestamp - kStart) / kHourMillis;
  EXPECT_GE(hours, 3);  // A million purchases a day, more or less busy.
  EXPECT_LE(hours, 9);
}

TEST(SyntheticSource, WithoutStartEventsCarryThePresent) {
  int64_t now = kStart;
  const Made made = Make({.seed = 1}, 30, 10, [&] { return now += 1000; });
  EXPECT_EQ(made.events[0].timestamp, kStart + 1000);
  EXPECT_EQ(made.events[9].timestamp, kStart + 1000);
  EXPECT_EQ(made.events[29].timestamp, kStart + 3000);
}

TEST(SyntheticSource, SharesAreKept) {
  SyntheticOptions options = From(kStart);
  options.late_share = 0.05;
  options.duplicate_share = 0.02;
  options.malformed_share = 0.1;
  const Made made = Make(options, 100'000);
  EXPECT_NEAR(made.late, 5'000, 400);
  EXPECT_NEAR(made.duplicates, 2'000, 300);
  EXPECT_NEAR(made.malformed, 10'000, 600);
  EXPECT_NEAR(made.wire_faults.size(), 7'000, 500);
}

TEST(SyntheticSource, DuplicatesRepeatOneOfTheLatestEventsUnchanged) {
  SyntheticOptions options = From(kStart);
  options.duplicate_share = 0.1;
  const Made made = Make(options, 20'000);
  std::map<std::string, size_t> first_at;
  int64_t repeated = 0;
  for (size_t i = 0; i < made.events.size(); ++i) {
    const auto [first, is_new] = first_at.emplace(made.events[i].event_id, i);
    if (is_new) continue;
    ++repeated;
    EXPECT_TRUE(made.events[i] == made.events[first->second]);
    EXPECT_LE(i - first->second, 2'000u);
  }
  EXPECT_EQ(repeated, made.duplicates);
}

TEST(SyntheticSource, LateEventsAreHoursOld) {
  SyntheticOptions options{.seed = 1};
  options.late_share = 1;
  for (const Event& event : Make(options, 1'000).events) {
    EXPECT_LE(event.timestamp, kStart - 2 * kHourMillis);
    EXPECT_GE(event.timestamp, kStart - 24 * kHourMillis);
  }
}

TEST(SyntheticSource, MalformedEventsAreOfEveryKind) {
  SyntheticOptions options = From(kStart);
  options.malformed_share = 1;
  const Made made = Make(options, 10'000);
  std::map<Fault, int> faults;
  for (const WireFault& fault : made.wire_faults) ++faults[fault.fault];
  EXPECT_EQ(faults.size(), 7u);
  for (const auto& [fault, count] : faults) {
    EXPECT_TRUE(IsWireFault(fault));
    EXPECT_NEAR(count, 1'000, 200);
  }
  arrow::util::InitializeUTF8();
  int invalid_text = 0, unknown_region = 0, far_future = 0;
  for (const Event& event : made.events) {
    invalid_text += !arrow::util::ValidateUTF8(event.product_name);
    unknown_region += event.region != "US" && event.region != "EU" && event.region != "ASIA";
    far_future += event.timestamp > 253'000'000'000'000;
  }
  EXPECT_NEAR(invalid_text, 1'000, 200);
  EXPECT_NEAR(unknown_region, 1'000, 200);
  EXPECT_NEAR(far_future, 1'000, 200);
}

TEST(SyntheticSource, RefusesSharesOutOfBounds) {
  SyntheticOptions options = From(kStart);
  options.late_share = 1.5;
  EXPECT_THAT(CheckShares(options).message(), testing::HasSubstr("--late-share 1.5"));
  options.late_share = 0.6;
  options.malformed_share = 0.6;
  EXPECT_THAT(CheckShares(options).message(), testing::HasSubstr("add up to 1.2"));
  options.malformed_share = std::nan("");
  EXPECT_TRUE(CheckShares(options).IsInvalid());
}

}  // namespace
}  // namespace shopstream::generate
