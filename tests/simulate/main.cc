#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "base/log.h"
#include "simulate/history.h"

namespace shopstream::simulate {
namespace {

struct Arguments {
  uint64_t from = 1;
  int64_t seeds = 1;
  bool until_stopped = false;
  bool shrink = false;
  bool verbose = false;  // A line for each seed.
  bool show = false;      // What happened, line by line.
  bool log = false;       // What the programs log.
  int64_t twice = 0;      // So many seeds run a second time, to the same trace.
  bool every_event = false;  // An event that never happened is a failure.
  Mistake mistake = Mistake::kNone;
  bool until_caught = false;  // A mistake: stop at the first seed that catches it.
};

void PrintFailure(const Plan& plan, const HistoryResult& result) {
  std::printf("seed %llu fails:\n", static_cast<unsigned long long>(plan.seed));
  for (const std::string& failure : result.failures) std::printf("  %s\n", failure.c_str());
  std::fflush(stdout);
}

// CPU time of this process, which a busy machine does not stretch.
double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int Run(const Arguments& arguments) {
  std::map<std::string, int64_t> counts;
  int64_t failed = 0, records = 0, ran = 0;
  for (int64_t i = 0; arguments.until_stopped || i < arguments.seeds; ++i, ++ran) {
    const Plan plan = MakePlan(arguments.from + static_cast<uint64_t>(i));
    const HistoryResult result = RunHistory(plan, arguments.mistake, arguments.show);
    if (arguments.show) std::fputs(result.text.c_str(), stdout);
    records += result.records;
    for (const auto& [event, times] : result.counts) counts[event] += times;
    bool bad = !result.failures.empty();
    if (i < arguments.twice &&
        RunHistory(plan, arguments.mistake).fingerprint != result.fingerprint) {
      std::printf("seed %llu does not replay identically\n",
                  static_cast<unsigned long long>(plan.seed));
      bad = true;
    }
    if (arguments.verbose) {
      std::printf("seed %llu: %016llx\n", static_cast<unsigned long long>(plan.seed),
                  static_cast<unsigned long long>(result.fingerprint));
      std::fflush(stdout);
    }
    if (!bad) continue;
    ++failed;
    PrintFailure(plan, result);
    if (arguments.shrink) {
      const Plan smaller = Shrink(plan, arguments.mistake);
      const HistoryResult again = RunHistory(smaller, arguments.mistake, /*keep_text=*/true);
      std::fputs(again.text.c_str(), stdout);
      PrintFailure(smaller, again);
      std::printf("%zu deeds are enough:\n", smaller.actions.size());
      for (const Action& action : smaller.actions) std::printf("  %s\n", Describe(action).c_str());
    }
    if (arguments.until_caught) break;
  }
  const double seconds = CpuSeconds();
  for (const auto& [event, times] : counts) {
    std::printf("%10lld  %s\n", static_cast<long long>(times), event.c_str());
    if (times > 0 || !arguments.every_event) continue;
    std::printf("            never happened\n");
    ++failed;
  }
  std::printf("%lld histories, %lld records, %.1f s of CPU, %.0f histories a minute of it, %lld failed\n",
              static_cast<long long>(ran), static_cast<long long>(records), seconds,
              static_cast<double>(ran) * 60 / seconds, static_cast<long long>(failed));
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace shopstream::simulate

int main(int argc, char** argv) {
  using namespace shopstream::simulate;  // NOLINT(google-build-using-namespace)
  // Codecs ask for large buffers again and again; do not give them back in between.
  ::mallopt(M_MMAP_THRESHOLD, 256 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::atoll(argv[++i]) : 0; };
    if (name == "--from") arguments.from = static_cast<uint64_t>(number());
    if (name == "--seeds") arguments.seeds = number();
    if (name == "--twice") arguments.twice = number();
    if (name == "--until-stopped") arguments.until_stopped = true;
    if (name == "--shrink") arguments.shrink = true;
    if (name == "--show") arguments.show = true;
    if (name == "--verbose") arguments.verbose = true;
    if (name == "--log") arguments.log = true;
    if (name == "--every-event") arguments.every_event = true;
    if (name == "--mistake" && i + 1 < argc) {
      const std::string_view wanted = argv[++i];
      for (const Mistake mistake : kAllMistakes) {
        if (Name(mistake) == wanted) arguments.mistake = mistake;
      }
      arguments.until_caught = true;
    }
  }
  spdlog::set_level(arguments.log ? spdlog::level::debug : spdlog::level::off);
  return Run(arguments);
}
