#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/format.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/produce_flags.h"
#include "generate/catalogue.h"
#include "generate/shoppers.h"
#include "generate/synthetic_source.h"
#include "generate/timestamp.h"

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

// Simulated time runs by itself; past the present, ingest takes events for mistakes.
void WarnOfTheFuture(const GenerateFlags& flags, const generate::Shoppers& shoppers) {
  if (!flags.events.start_millis || flags.produce.count == 0) return;
  constexpr double kDayMillis = 86'400'000;
  const double end =
      static_cast<double>(*flags.events.start_millis) +
      static_cast<double>(flags.produce.count) / shoppers.purchases_per_day * kDayMillis;
  if (end <= static_cast<double>(WallClockMillis()) + kDayMillis) return;
  Log::Warn(
      "{} events from --start on reach about {}: those more than a day in the future will "
      "be quarantined",
      FormatCount(flags.produce.count), FormatTimestamp(static_cast<int64_t>(end)));
}

Result<int> Generate(const Context& context, GenerateFlags flags) {
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

void AddLimits(CLI::App* command, GenerateFlags* flags) {
  command
      ->add_option("--count", flags->produce.count,
                   "Number of events; with neither this nor --duration: until Ctrl-C")
      ->option_text("N")
      ->check(CheckPositiveCount);
  command
      ->add_option_function<std::string>(
          "--duration",
          [flags](const std::string& text) { flags->produce.duration = *ParseDuration(text); },
          "Run time, e.g. 60s, 5m, 2h")
      ->option_text("TIME")
      ->check([](const std::string& text) {
        const auto duration = ParseDuration(text);
        return duration.ok() ? "" : duration.status().message();
      });
  command->add_option("--rate", flags->produce.rate, "Events per second [as fast as possible]")
      ->option_text("R")
      ->check(CheckPositiveNumber);
}

void AddReproduction(CLI::App* command, GenerateFlags* flags) {
  command->add_option("--seed", flags->seed, "Equal seeds give equal purchases [random]")
      ->option_text("S")
      ->check(CheckSeed);
  command
      ->add_option_function<std::string>(
          "--start",
          [flags](const std::string& text) {
            flags->events.start_millis = *generate::ParseTimestamp(text);
          },
          "Event time of the first purchase, ISO 8601; it then advances by one day per million "
          "purchases [the current time]")
      ->option_text("TIME")
      ->check([](const std::string& text) {
        const auto start = generate::ParseTimestamp(text);
        return start.ok() ? "" : start.status().message();
      });
}

void AddShares(CLI::App* command, GenerateFlags* flags) {
  const auto add = [&](const char* flag, double* share, const char* meaning) {
    command->add_option(flag, *share, meaning)->option_text("0..1 [0]");
  };
  add("--late-share", &flags->events.late_share,
      "Share of events that are two hours to a day late");
  add("--duplicate-share", &flags->events.duplicate_share,
      "Share of events that repeat a recent event, including its id");
  add("--malformed-share", &flags->events.malformed_share,
      "Share of deliberately corrupted events (ten kinds)");
}

}  // namespace

void AddGenerate(CLI::App& app, Job* job) {
  CLI::App* command = app.add_subcommand("generate", "Produce synthetic purchases");
  auto flags = std::make_shared<GenerateFlags>();
  AddLimits(command, flags.get());
  AddReproduction(command, flags.get());
  AddShares(command, flags.get());
  command->callback([job, flags] {
    if (const Status shares = generate::CheckShares(flags->events); !shares.ok()) {
      throw CLI::ValidationError(shares.message());
    }
    *job = [flags](const Context& context) { return Generate(context, *flags); };
  });
}

}  // namespace shopstream::cli
