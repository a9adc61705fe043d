// A fuzz target as a unit test: its seeds, then corrupted copies of them, the same in every run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>
#include <vector>

#include "fuzz_target.h"

namespace {

using Input = std::vector<uint8_t>;

constexpr int kInputs = 50'000;  // A few seconds under ASan.
constexpr size_t kMostBytes = 4'096;

std::vector<Input> ReadSeeds() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(SHOPSTREAM_CORPUS)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);  // A folder has no order.
  std::vector<Input> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

// Corrupts inputs as storage, networks and attackers do.
class Breaker {
 public:
  explicit Breaker(std::vector<Input> seeds) : seeds_(std::move(seeds)) {}

  Input Next() {
    Input input = seeds_[Draw(seeds_.size())];
    for (size_t times = Draw(6) + 1; times > 0; --times) Break(&input);
    input.resize(std::min(input.size(), kMostBytes));
    return input;
  }

 private:
  size_t Draw(size_t below) { return random_() % below; }
  // Byte values that matter to formats are more likely.
  uint8_t Byte() {
    static constexpr uint8_t kEdges[] = {0x00, 0x01, 0x02, 0x7F, 0x80, 0xFE, 0xFF, '"', '{', ']'};
    return Draw(2) == 0 ? kEdges[Draw(std::size(kEdges))] : static_cast<uint8_t>(random_());
  }

  void Break(Input* input) {
    const auto place = [&] { return static_cast<ptrdiff_t>(Draw(input->size() + 1)); };
    const auto at = input->begin() + place();
    const Input& other = seeds_[Draw(seeds_.size())];
    switch (Draw(6)) {
      case 0:
        if (at != input->end()) *at ^= static_cast<uint8_t>(1 << Draw(8));
        return;
      case 1:
        if (at != input->end()) *at = Byte();
        return;
      case 2:
        input->erase(at, input->end());
        return;
      case 3:
        input->insert(at, Draw(12), Byte());
        return;
      case 4:
        input->erase(at, at + static_cast<ptrdiff_t>(Draw(input->end() - at + 1)));
        return;
      default:
        input->insert(at, other.begin() + static_cast<ptrdiff_t>(Draw(other.size() + 1)),
                      other.end());
    }
  }

  std::vector<Input> seeds_;
  std::mt19937_64 random_{20'251'024};
};

TEST(ReplayTest, Seeds) {
  const std::vector<Input> seeds = ReadSeeds();
  ASSERT_FALSE(seeds.empty()) << SHOPSTREAM_CORPUS;
  for (const Input& seed : seeds) LLVMFuzzerTestOneInput(seed.data(), seed.size());
}

TEST(ReplayTest, BrokenCopiesOfSeeds) {
  Breaker breaker(ReadSeeds());
  for (int i = 0; i < kInputs; ++i) {
    const Input input = breaker.Next();
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
}

}  // namespace
