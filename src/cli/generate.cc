#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/format.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/produce_flags.h"
#include "generate/catalogue.h"
#include "generate/shoppers.h"
#include "generate/synthetic_source.h"

namespace shopstream::cli {
namespace {

struct GenerateFlags {
  produce::ProduceOptions produce;
  generate::SyntheticOptions events;
  std::optional<uint64_t> seed;
};

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Simulated time may run ahead of real time; ingest treats events from the future as mistakes.
void WarnOfTheFuture(const GenerateFlags& flags, const generate::Shoppers& shoppers) {
  if (!flags.events.start_millis || flags.produce.count == 0) return;
  constexpr double kDayMillis = 86'400'000;
  constexpr double kEndOf9999 = 253'402'300'799'999;
  const double end = std::min(kEndOf9999, static_cast<double>(*flags.events.start_millis) +
                                              static_cast<double>(flags.produce.count) /
                                                  shoppers.purchases_per_day * kDayMillis);
  if (end <= static_cast<double>(WallClockMillis()) + kDayMillis) return;
  Log::Warn(
      "{} events from --start on reach about {}: those more than a day in the future will "
      "be quarantined",
      FormatCount(flags.produce.count), FormatTimestamp(static_cast<int64_t>(end)));
}

Result<int> Generate(const Context& context, const GenerateFlags& given) {
  GenerateFlags flags = given;
  flags.events.seed = flags.seed ? *flags.seed : RandomSeed();
  ARROW_ASSIGN_OR_RAISE(const generate::Catalogue catalogue, generate::BuiltInCatalogue());
  ARROW_ASSIGN_OR_RAISE(const generate::Shoppers shoppers, generate::BuiltInShoppers());
  ARROW_ASSIGN_OR_RAISE(auto source, generate::OpenSyntheticSource(catalogue, shoppers,
                                                                   flags.events, WallClockMillis));
  WarnOfTheFuture(flags, shoppers);
  Log::Info("generating purchases of {} products by {} users, seed {}",
            FormatCount(static_cast<int64_t>(catalogue.products.size())),
            FormatCount(shoppers.users), flags.events.seed);
  return ProduceAndReport(context, source.get(), flags.produce);
}

Option ShareOption(const char* name, double* share, const char* meaning) {
  return {.name = name, .target = share, .meaning = meaning, .value = "0..1 [0]"};
}

// Number, rate and kind of the events.
std::vector<Option> Options(GenerateFlags* flags) {
  return {{.name = "--count",
           .target = &flags->produce.count,
           .meaning = "Number of events; with neither this nor --duration: until Ctrl-C",
           .value = "N",
           .check = CheckPositiveCount},
          {.name = "--duration",
           .target = Storing(ParseDuration, &flags->produce.duration),
           .meaning = "Run time, e.g. 60s, 5m, 2h",
           .value = "TIME"},
          RateOption(&flags->produce),
          {.name = "--seed",
           .target = &flags->seed,
           .meaning = "Equal seeds give equal purchases [random]",
           .value = "S",
           .check = CheckSeed},
          {.name = "--start",
           .target = Storing(ParseTimestamp, &flags->events.start_millis),
           .meaning = "Event time of the first purchase, ISO 8601; it then advances by one day per "
                      "million purchases [the current time]",
           .value = "TIME"},
          ShareOption("--late-share", &flags->events.late_share,
                      "Share of events that are two hours to a day late"),
          ShareOption("--duplicate-share", &flags->events.duplicate_share,
                      "Share of events that repeat a recent event, including its id"),
          ShareOption("--malformed-share", &flags->events.malformed_share,
                      "Share of deliberately corrupted events (ten kinds)")};
}

}  // namespace

Command GenerateCommand() {
  auto flags = std::make_shared<GenerateFlags>();
  return {.name = "generate",
          .meaning = "Produce synthetic purchases",
          .options = Options(flags.get()),
          .run = Running(flags, Generate),
          .check = [flags] { return generate::CheckShares(flags->events); },
          .serves_metrics = true};
}

}  // namespace shopstream::cli
