#include "generate/synthetic_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "generate/alias_table.h"
#include "generate/purchase_columns.h"
#include "generate/random.h"
#include "generate/uuid.h"

namespace shopstream::generate {
namespace {

constexpr int64_t kMinuteMillis = 60'000;
constexpr double kDayMillis = 86'400'000.0;
constexpr int64_t kEarliestDelayMillis = 2 * kHourMillis;
constexpr uint32_t kLatestDelaySpread = 22 * kHourMillis;
constexpr int64_t kYear9999Millis = 253'370'764'800'000;  // 9999-01-01T00:00:00Z
// A duplicate repeats one of this many latest good events: a short window.
constexpr uint32_t kRecentEvents = 512;

constexpr const char* kUnknownRegions[] = {"MARS", "LATAM", "us", ""};
// A Latin-1 e acute, an overlong slash, half a surrogate pair, a truncated sequence.
constexpr const char* kInvalidTexts[] = {"Caf\xe9 Mug", "Tea \xc0\xaf Pot", "Lamp \xed\xa0\x80",
                                         "Vase \xf0\x9f\x98"};

struct Purchase {
  Uuid event_id;
  int64_t timestamp_millis = 0;
  double amount = 0;
  int32_t user_id = 0;
  int32_t product = 0;
  int32_t quantity = 0;
  int32_t region = 0;
};

// Shares of [0, 1] as cumulative bounds on 32 random bits.
struct Thresholds {
  uint64_t malformed = 0, duplicate = 0, late = 0;
};

Thresholds MakeThresholds(const SyntheticOptions& options) {
  const auto bound = [](double share) {
    return static_cast<uint64_t>(std::llround(share * 0x1p32));
  };
  Thresholds thresholds;
  thresholds.malformed = bound(options.malformed_share);
  thresholds.duplicate = thresholds.malformed + bound(options.duplicate_share);
  thresholds.late = thresholds.duplicate + bound(options.late_share);
  return thresholds;
}

// 256 random values approximate a distribution: coarse, but one load per draw.
using ByteTable = std::array<double, 256>;

ByteTable MakeDiscountTable(const std::vector<Discount>& discounts) {
  ByteTable table;
  table.fill(1.0);
  size_t next = 0;
  for (const Discount& discount : discounts) {
    const auto slots = static_cast<size_t>(std::lround(discount.share * 256));
    for (size_t i = 0; i < slots && next < table.size(); ++i) table[next++] = discount.factor;
  }
  return table;
}

// Gaps between purchases that arrive independently are exponential; their mean here is 1.
std::vector<double> MakeGapTable() {
  std::vector<double> gaps(4096);
  double sum = 0;
  for (size_t i = 0; i < gaps.size(); ++i) {
    gaps[i] = -std::log((static_cast<double>(i) + 0.5) / static_cast<double>(gaps.size()));
    sum += gaps[i];
  }
  for (double& gap : gaps) gap *= static_cast<double>(gaps.size()) / sum;
  return gaps;
}

class SyntheticSource : public EventSource {
 public:
  SyntheticSource(const Catalogue& catalogue, const Shoppers& shoppers,
                  const SyntheticOptions& options, std::function<int64_t()> now_millis)
      : shoppers_(shoppers),
        now_millis_(std::move(now_millis)),
        simulated_(options.start_millis.has_value()),
        thresholds_(MakeThresholds(options)),
        random_(options.seed),
        discounts_(MakeDiscountTable(shoppers.discounts)),
        gaps_(MakeGapTable()),
        clock_millis_(static_cast<double>(options.start_millis.value_or(0))) {
    AddProducts(catalogue);
    AddRegions();
    SettleUsers();
    recent_.reserve(thresholds_.duplicate > thresholds_.malformed ? kRecentEvents : 0);
    if (simulated_) FollowRhythm(*options.start_millis);
  }

  Result<EventBatch> Next(int64_t max_rows) override {
    const int64_t rows = std::min(max_rows, PurchaseColumns::kMaxRows);
    ARROW_RETURN_NOT_OK(columns_.Reserve(rows));
    if (!simulated_) {
      const int64_t now = now_millis_();
      FollowRhythm(now);
      clock_millis_ = static_cast<double>(now);
    }
    EventBatch batch;
    for (int64_t row = 0; row < rows; ++row) AddRow(static_cast<int32_t>(row), &batch);
    ARROW_ASSIGN_OR_RAISE(batch.rows, columns_.Finish(rows));
    return batch;
  }

  int key_column() const override { return kUserIdColumn; }

 private:
  struct ProductText {
    PaddedText id, name;
  };
  // A region's users and how active each of them is.
  struct Home {
    AliasTable activity;
    std::vector<int32_t> user_ids;
  };

  void AddProducts(const Catalogue& catalogue) {
    std::vector<double> popularity;
    for (const Product& product : catalogue.products) {
      products_.push_back({PaddedText(product.id), PaddedText(product.name)});
      product_category_.push_back(product.category);
      popularity.push_back(product.popularity);
      for (const Region& region : shoppers_.regions) {
        prices_.push_back(std::round(product.price_usd * region.rate * region.steps_per_unit));
      }
    }
    popularity_ = AliasTable(popularity);
    for (const Category& category : catalogue.categories) {
      quantities_.emplace_back(category.quantity_weights);
    }
  }

  void AddRegions() {
    for (const Region& region : shoppers_.regions) {
      region_names_.emplace_back(region.name);
      currencies_.emplace_back(region.currency);
      steps_per_unit_.push_back(region.steps_per_unit);
    }
    region_bounds_.resize(shoppers_.regions.size());
  }

  // The same homes for every seed: a user's region does not change.
  void SettleUsers() {
    Random random(shoppers_.seed);
    homes_.resize(shoppers_.regions.size());
    std::vector<double> shares;
    for (const Region& region : shoppers_.regions) shares.push_back(region.share);
    const AliasTable region_of_user(shares);
    for (int32_t user = 1; user <= shoppers_.users; ++user) {
      homes_[region_of_user.Draw(random.Next())].user_ids.push_back(user);
    }
    for (Home& home : homes_) {
      if (home.user_ids.empty()) home.user_ids.push_back(1);
      for (size_t i = home.user_ids.size(); i > 1; --i) {
        std::swap(home.user_ids[i - 1], home.user_ids[random.Below(static_cast<uint32_t>(i))]);
      }
      home.activity = AliasTable(
          ZipfWeights(static_cast<int>(home.user_ids.size()), shoppers_.activity_exponent));
    }
  }

  // Takes the regions' shares and the pace from the rhythm at `millis`, valid for one minute.
  void FollowRhythm(int64_t millis) {
    double busy = 0;
    std::vector<double> levels;
    for (const Region& region : shoppers_.regions) {
      levels.push_back(region.share * Rhythm(shoppers_, region, millis));
      busy += levels.back();
    }
    double below = 0;
    for (size_t i = 0; i < levels.size(); ++i) {
      below += levels[i] / busy;
      region_bounds_[i] = static_cast<uint64_t>(below * 0x1p32);
    }
    mean_gap_millis_ = kDayMillis / (shoppers_.purchases_per_day * busy);
    next_rhythm_millis_ = static_cast<double>((millis / kMinuteMillis + 1) * kMinuteMillis);
  }

  void AddRow(int32_t row, EventBatch* batch) {
    const uint64_t random = random_.Next();
    const auto kind = static_cast<uint32_t>(random >> 32);
    if (kind >= thresholds_.late) [[likely]] {
      return AddGood(Draw(random));
    }
    AddUnusual(row, kind, random, batch);
  }

  void AddUnusual(int32_t row, uint32_t kind, uint64_t random, EventBatch* batch) {
    if (kind < thresholds_.malformed) {
      AddMalformed(row, Draw(random), batch);
      ++batch->malformed;
    } else if (kind < thresholds_.duplicate && !recent_.empty()) {
      Write(recent_[random_.Below(static_cast<uint32_t>(recent_.size()))]);
      ++batch->duplicates;
    } else if (kind < thresholds_.duplicate) {
      AddGood(Draw(random));  // The very first event: there is nothing to repeat yet.
    } else {
      Purchase purchase = Draw(random);
      purchase.timestamp_millis -= kEarliestDelayMillis + random_.Below(kLatestDelaySpread);
      AddGood(purchase);
      ++batch->late;
    }
  }

  void AddGood(const Purchase& purchase) {
    Write(purchase);
    if (recent_.capacity() == 0) return;
    if (recent_.size() < kRecentEvents) {
      recent_.push_back(purchase);
    } else {
      recent_[next_recent_++ % kRecentEvents] = purchase;
    }
  }

  void AddMalformed(int32_t row, Purchase purchase, EventBatch* batch) {
    const auto fault = static_cast<Fault>(random_.Below(kFaultCount));
    const uint64_t detail = random_.Next();
    const PaddedText* region = &region_names_[purchase.region];
    const PaddedText* name = &products_[purchase.product].name;
    PaddedText broken;
    if (fault == Fault::kUnknownRegion) {
      broken = PaddedText(kUnknownRegions[detail % std::size(kUnknownRegions)]);
      region = &broken;
    } else if (fault == Fault::kInvalidUtf8) {
      broken = PaddedText(kInvalidTexts[detail % std::size(kInvalidTexts)]);
      name = &broken;
    } else if (fault == Fault::kFarFuture) {
      purchase.timestamp_millis =
          kYear9999Millis + static_cast<int64_t>(detail % kLatestDelaySpread);
    } else {
      batch->wire_faults.push_back({row, fault, detail});
    }
    Write(purchase, *region, *name);
  }

  // `random`: its lower half has not been used yet.
  Purchase Draw(uint64_t random) {
    Purchase purchase;
    const uint64_t high = random_.Next();
    purchase.event_id = MakeUuidV4(high, random_.Next());
    purchase.timestamp_millis = Tick((random >> 20) & 0xfff);
    const uint64_t who = random_.Next();
    purchase.region = DrawRegion(static_cast<uint32_t>(who));
    purchase.user_id = DrawUser(purchase.region, static_cast<uint32_t>(who >> 32));
    purchase.product = static_cast<int32_t>(popularity_.Draw(random_.Next()));
    purchase.quantity = DrawQuantity(purchase.product);
    purchase.amount = Price(purchase, discounts_[random & 0xff]);
    return purchase;
  }

  // The next purchase's event time.
  int64_t Tick(uint64_t gap_index) {
    if (simulated_) {
      clock_millis_ += mean_gap_millis_ * gaps_[gap_index];
      if (clock_millis_ >= next_rhythm_millis_) FollowRhythm(static_cast<int64_t>(clock_millis_));
    }
    return static_cast<int64_t>(clock_millis_);
  }

  int32_t DrawRegion(uint32_t random) const {
    const auto last = static_cast<int32_t>(region_bounds_.size()) - 1;
    int32_t region = 0;
    while (region < last && random >= region_bounds_[region]) ++region;
    return region;
  }

  int32_t DrawUser(int32_t region, uint32_t random) {
    int32_t home = region;
    if (random < static_cast<uint32_t>(shoppers_.away_share * 0x1p32)) {
      const auto others = static_cast<int32_t>(homes_.size()) - 1;
      if (others > 0) home = (region + 1 + static_cast<int32_t>(random % others)) % (others + 1);
    }
    const Home& chosen = homes_[home];
    return chosen.user_ids[chosen.activity.Draw(random_.Next())];
  }

  int32_t DrawQuantity(int32_t product) {
    return 1 + static_cast<int32_t>(quantities_[product_category_[product]].Draw(random_.Next()));
  }

  double Price(const Purchase& purchase, double discount) const {
    const double steps = prices_[purchase.product * steps_per_unit_.size() + purchase.region];
    return std::nearbyint(steps * discount) * purchase.quantity / steps_per_unit_[purchase.region];
  }

  void Write(const Purchase& purchase) {
    Write(purchase, region_names_[purchase.region], products_[purchase.product].name);
  }

  void Write(const Purchase& purchase, const PaddedText& region, const PaddedText& name) {
    WriteUuid(purchase.event_id, columns_.event_id.AppendInPlace(kUuidTextSize));
    columns_.user_id.Append(purchase.user_id);
    columns_.region.Append<16>(region);
    columns_.product_id.Append<16>(products_[purchase.product].id);
    columns_.product_name.Append<PaddedText::kCapacity>(name);
    columns_.quantity.Append(purchase.quantity);
    columns_.amount.Append(purchase.amount);
    columns_.currency.Append<16>(currencies_[purchase.region]);
    columns_.timestamp.Append(purchase.timestamp_millis);
  }

  const Shoppers shoppers_;
  const std::function<int64_t()> now_millis_;
  const bool simulated_;
  const Thresholds thresholds_;
  Random random_;

  std::vector<ProductText> products_;
  std::vector<int32_t> product_category_;
  std::vector<double> prices_;  // [product][region], in steps of the currency.
  AliasTable popularity_;
  std::vector<AliasTable> quantities_;  // [category]
  ByteTable discounts_;
  std::vector<double> gaps_;

  std::vector<PaddedText> region_names_, currencies_;  // [region]
  std::vector<double> steps_per_unit_;                 // [region]
  std::vector<uint64_t> region_bounds_;                // [region], cumulative, of 2^32.
  std::vector<Home> homes_;                            // [region]

  double clock_millis_;
  double mean_gap_millis_ = 0;
  double next_rhythm_millis_ = 0;

  std::vector<Purchase> recent_;  // A ring; empty if no duplicates are wanted.
  uint64_t next_recent_ = 0;
  PurchaseColumns columns_;
};

Status CheckShare(const char* name, double share) {
  if (share >= 0 && share <= 1) return Status::OK();
  return Status::Invalid(fmt::format("--{} {}: a share is between 0 and 1", name, share));
}

}  // namespace

Status CheckShares(const SyntheticOptions& options) {
  ARROW_RETURN_NOT_OK(CheckShare("late-share", options.late_share));
  ARROW_RETURN_NOT_OK(CheckShare("duplicate-share", options.duplicate_share));
  ARROW_RETURN_NOT_OK(CheckShare("malformed-share", options.malformed_share));
  const double sum = options.late_share + options.duplicate_share + options.malformed_share;
  if (sum <= 1) return Status::OK();
  return Status::Invalid(
      fmt::format("--late-share, --duplicate-share and --malformed-share add up to {}; "
                  "together they may be at most 1",
                  sum));
}

Result<std::unique_ptr<EventSource>> OpenSyntheticSource(const Catalogue& catalogue,
                                                         const Shoppers& shoppers,
                                                         const SyntheticOptions& options,
                                                         std::function<int64_t()> now_millis) {
  ARROW_RETURN_NOT_OK(CheckShares(options));
  for (const Product& product : catalogue.products) {
    if (product.name.size() > PaddedText::kCapacity || product.id.size() > 16) {
      return Status::Invalid("catalogue: '", product.id, "' or '", product.name,
                             "' is too long; an id has up to 16 bytes, a name up to ",
                             PaddedText::kCapacity);
    }
  }
  return std::make_unique<SyntheticSource>(catalogue, shoppers, options, std::move(now_millis));
}

}  // namespace shopstream::generate
