// Is a pass as cheap against 86 million ids of one date as against one million? Prints one JSON
// object.
//
//   seen_bench FOLDER [IDS...]
//
// For each number of ids, builds a date's set of that many, then looks up and inserts passes of
// 10,000 new ids, enough for several merges. The ids are hashes already: random numbers.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"
#include "base/page_file.h"
#include "refine/seen_index.h"

namespace shopstream::refine {
namespace {

using nlohmann::json;

constexpr int64_t kPassIds = 10'000;
constexpr SeenIndex::Date kDate = 20'385;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
double CpuMillis() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return 1e3 * (Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
}
int64_t PeakBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}
double MillisSince(BootClock::time_point start) {
  return std::chrono::duration<double, std::milli>(BootClock::now() - start).count();
}

// The n-th hash of a sequence without repetition (splitmix64 is a permutation).
Hash128 HashAt(uint64_t n) {
  uint64_t z = n * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return {.high = z ^ (z >> 31), .low = n};
}
std::vector<Hash128> HashesFrom(uint64_t first, int64_t count) {
  std::vector<Hash128> hashes;
  hashes.reserve(static_cast<size_t>(count));
  for (uint64_t n = first; n < first + static_cast<uint64_t>(count); ++n) {
    hashes.push_back(HashAt(n));
  }
  return hashes;
}

json Summary(std::vector<double> values) {
  std::ranges::sort(values);
  double sum = 0;
  for (const double value : values) sum += value;
  return {{"mean", sum / static_cast<double>(values.size())},
          {"p50", values[values.size() / 2]},
          {"p99", values[values.size() * 99 / 100]},
          {"max", values.back()}};
}

Result<json> Measure(const std::string& path, int64_t ids, int passes) {
  ARROW_ASSIGN_OR_RAISE(const auto folder, OpenPageFolder(path));
  if (folder == nullptr) return Status::Invalid(path, " is in use");
  ARROW_ASSIGN_OR_RAISE(const auto index, SeenIndex::Open(folder.get(), {.table_id = "bench"}));
  ARROW_RETURN_NOT_OK(index->Stamp("ids", {}));
  uint64_t next = 1;
  const auto rebuild = [&](const SeenIndex::Take& take) -> Status {
    while (static_cast<int64_t>(next) <= ids) {
      const int64_t count = std::min<int64_t>(100'000, ids - static_cast<int64_t>(next) + 1);
      ARROW_RETURN_NOT_OK(take(HashesFrom(next, count)));
      next += static_cast<uint64_t>(count);
    }
    return Status::OK();
  };
  auto start = BootClock::now();
  ARROW_RETURN_NOT_OK(index->Contains("ids", kDate, {}, rebuild).status());
  const double build_ms = MillisSince(start);
  std::vector<double> look, insert, cpu;
  for (int pass = 0; pass < passes; ++pass) {
    const auto hashes = HashesFrom(next, kPassIds);
    next += kPassIds;
    const double cpu_before = CpuMillis();
    start = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(const auto found, index->Contains("ids", kDate, hashes, rebuild));
    if (std::ranges::count(found, true) > 0) return Status::Invalid("a new id was found");
    look.push_back(MillisSince(start));
    start = BootClock::now();
    ARROW_RETURN_NOT_OK(index->Insert("ids", kDate, hashes));
    insert.push_back(MillisSince(start));
    cpu.push_back(CpuMillis() - cpu_before);
  }
  return json{{"ids", ids},
              {"passes", passes},
              {"buildMs", build_ms},
              {"lookUpMs", Summary(look)},
              {"insertMs", Summary(insert)},
              {"cpuMs", Summary(cpu)},
              {"diskBytes", index->disk_bytes()},
              {"peakMemoryBytes", PeakBytes()}};
}

Status Run(const std::string& root, std::vector<int64_t> sizes) {
  if (sizes.empty()) sizes = {1'000'000, 10'000'000, 86'000'000};
  json results = json::array();
  for (const int64_t ids : sizes) {
    const std::string path = root + "/" + std::to_string(ids);
    std::filesystem::remove_all(path);
    // Three merges, each of a sixteenth of the ids.
    const auto passes = static_cast<int>(std::clamp<int64_t>(ids * 3 / 16 / kPassIds, 60, 600));
    ARROW_ASSIGN_OR_RAISE(auto result, Measure(path, ids, passes));
    results.push_back(std::move(result));
    std::filesystem::remove_all(path);
  }
  std::cout << results.dump(2) << "\n";
  return Status::OK();
}

}  // namespace
}  // namespace shopstream::refine

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: seen_bench FOLDER [IDS...]\n";
    return 2;
  }
  std::vector<int64_t> sizes;
  for (int i = 2; i < argc; ++i) {
    sizes.push_back(shopstream::ParseWhole<int64_t>(argv[i]).value_or(0));
  }
  const auto status = shopstream::refine::Run(argv[1], sizes);
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
