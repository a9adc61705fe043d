#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "simulate/history.h"
#include "simulate/refine_history.h"

namespace shopstream::simulate {
namespace {

struct Arguments {
  int64_t from = 1;
  int64_t seeds = 1;
  bool until_stopped = false;
  bool shrink = false;
  bool verbose = false;      // A line for each seed.
  bool show = false;         // The events, line by line.
  bool log = false;          // The programs' logs.
  int64_t twice = 0;         // Number of seeds run a second time, which must give the same trace.
  bool every_event = false;  // An event that never happened is a failure.
  bool refine = false;       // Histories of refine, not of ingest.
  std::string export_folder;
  std::string mistake_name;
  Mistake mistake = Mistake::kNone;
  RefineMistake refine_mistake = RefineMistake::kNone;
};

HistoryResult RunSeed(const Arguments& arguments, uint64_t seed, bool keep_text) {
  if (!arguments.refine) return RunHistory(MakePlan(seed), arguments.mistake, keep_text);
  return RunRefineHistory(MakeRefinePlan(seed), {.mistake = arguments.refine_mistake,
                                                 .keep_text = keep_text,
                                                 .export_folder = arguments.export_folder});
}

void PrintFailure(uint64_t seed, const HistoryResult& result) {
  std::printf("seed %llu fails:\n", static_cast<unsigned long long>(seed));
  for (const std::string& failure : result.failures) std::printf("  %s\n", failure.c_str());
  std::fflush(stdout);
}

template <typename AnyPlan>
void PrintSmaller(const AnyPlan& smaller, const HistoryResult& again) {
  std::fputs(again.text.c_str(), stdout);
  PrintFailure(smaller.seed, again);
  std::printf("%zu deeds are enough:\n", smaller.actions.size());
  for (const auto& action : smaller.actions) std::printf("  %s\n", Describe(action).c_str());
}

void ShrinkSeed(const Arguments& arguments, uint64_t seed) {
  if (arguments.refine) {
    const RefinePlan smaller = Shrink(MakeRefinePlan(seed), arguments.refine_mistake);
    return PrintSmaller(smaller, RunRefineHistory(smaller, {.mistake = arguments.refine_mistake,
                                                            .keep_text = true}));
  }
  const Plan smaller = Shrink(MakePlan(seed), arguments.mistake);
  PrintSmaller(smaller, RunHistory(smaller, arguments.mistake, /*keep_text=*/true));
}

// CPU time of this process, which is independent of the machine's load.
double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int Run(const Arguments& arguments) {
  std::map<std::string, int64_t> counts;
  int64_t failed = 0, records = 0, ran = 0;
  for (int64_t i = 0; arguments.until_stopped || i < arguments.seeds; ++i) {
    ++ran;
    const auto seed = static_cast<uint64_t>(arguments.from + i);
    const HistoryResult result = RunSeed(arguments, seed, arguments.show);
    if (arguments.show) std::fputs(result.text.c_str(), stdout);
    if (arguments.until_stopped && ran % 1000 == 0) {
      std::printf("%lld histories\n", static_cast<long long>(ran));
      std::fflush(stdout);
    }
    records += result.records;
    for (const auto& [event, times] : result.counts) counts[event] += times;
    bool bad = !result.failures.empty();
    if (i < arguments.twice &&
        RunSeed(arguments, seed, /*keep_text=*/false).fingerprint != result.fingerprint) {
      std::printf("seed %llu does not replay identically\n", static_cast<unsigned long long>(seed));
      bad = true;
    }
    if (arguments.verbose) {
      std::printf("seed %llu: %016llx\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(result.fingerprint));
      std::fflush(stdout);
    }
    if (!bad) continue;
    ++failed;
    PrintFailure(seed, result);
    if (arguments.shrink) ShrinkSeed(arguments, seed);
    if (!arguments.mistake_name.empty() || arguments.until_stopped) break;
  }
  const double seconds = CpuSeconds();
  for (const auto& [event, times] : counts) {
    std::printf("%10lld  %s\n", static_cast<long long>(times), event.c_str());
    if (times > 0 || !arguments.every_event) continue;
    std::printf("            never happened\n");
    ++failed;
  }
  std::printf(
      "%lld histories, %lld records, %.1f s of CPU, %.0f histories a minute of it, "
      "%lld failed\n",
      static_cast<long long>(ran), static_cast<long long>(records), seconds,
      static_cast<double>(ran) * 60 / seconds, static_cast<long long>(failed));
  return failed > 0 ? 1 : 0;
}

constexpr char kUsage[] = R"(usage: simulate [--refine] [--from SEED] [--seeds N | --until-stopped]
  --refine         histories of refine; without it, of ingest
  --from SEED      the first history (1)
  --seeds N        the number of histories (1), with consecutive seeds
  --until-stopped  runs until a history fails or the program is stopped
  --twice N        runs the first N a second time and compares the traces
  --every-event    fails if an event of the list never happens
  --mistake NAME   plants a mistake, and stops at the first history that catches it; exit code 1
  --shrink         reduces each history that fails to a minimal set of actions, and prints it
  --export FOLDER  with --refine: writes each lake to FOLDER/SEED in the end
  --show           prints what happens, line by line
  --log            prints what the programs log
  --verbose        prints a line for each seed, with the fingerprint of its trace
)";

bool Refuse(const std::string& what) {
  std::fprintf(stderr, "error: %s\n%s", what.c_str(), kUsage);
  return false;
}

template <typename AnyMistake, size_t kCount>
bool FindMistake(const std::string& name, const AnyMistake (&all)[kCount], AnyMistake* out) {
  const auto* const found = std::find_if(std::begin(all), std::end(all),
                                         [&](AnyMistake item) { return Name(item) == name; });
  if (found == std::end(all)) return Refuse("unknown mistake " + name);
  *out = *found;
  return true;
}

// False: the reason has been printed.
bool Parse(const std::vector<std::string>& words, Arguments* out) {
  const std::map<std::string, bool*> flags = {{"--refine", &out->refine},
                                              {"--until-stopped", &out->until_stopped},
                                              {"--every-event", &out->every_event},
                                              {"--shrink", &out->shrink},
                                              {"--show", &out->show},
                                              {"--log", &out->log},
                                              {"--verbose", &out->verbose}};
  const std::map<std::string, int64_t*> numbers = {
      {"--from", &out->from}, {"--seeds", &out->seeds}, {"--twice", &out->twice}};
  const std::map<std::string, std::string*> texts = {{"--export", &out->export_folder},
                                                     {"--mistake", &out->mistake_name}};
  for (size_t i = 0; i < words.size(); ++i) {
    if (const auto flag = flags.find(words[i]); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    const auto number = numbers.find(words[i]);
    const auto text = texts.find(words[i]);
    if (number == numbers.end() && text == texts.end()) return Refuse("unknown " + words[i]);
    if (++i == words.size()) return Refuse(words[i - 1] + " needs a value");
    if (text != texts.end()) {
      *text->second = words[i];
      continue;
    }
    char* end = nullptr;
    *number->second = std::strtoll(words[i].c_str(), &end, 10);
    if (*end != '\0' || *number->second < 0) return Refuse(words[i] + " is not a number");
  }
  if (!out->export_folder.empty() && !out->refine) return Refuse("--export needs --refine");
  if (out->mistake_name.empty()) return true;
  return out->refine ? FindMistake(out->mistake_name, kAllRefineMistakes, &out->refine_mistake)
                     : FindMistake(out->mistake_name, kAllMistakes, &out->mistake);
}

}  // namespace
}  // namespace shopstream::simulate

int main(int argc, char** argv) {
  using namespace shopstream::simulate;  // NOLINT(google-build-using-namespace)
  // Codecs repeatedly allocate large buffers; do not return them to the system in between.
  ::mallopt(M_MMAP_THRESHOLD, 256 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  Arguments arguments;
  if (!Parse({argv + 1, argv + argc}, &arguments)) return 2;
  const shopstream::LogConfig log{.level = arguments.log ? "debug" : "off", .format = "text"};
  if (!shopstream::StartLogging(log, /*service=*/false).ok()) return 2;
  return Run(arguments);
}
