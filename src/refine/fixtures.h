#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "refine/fixture_compare.h"
#include "refine/fixture_gold.h"
#include "refine/gold_file.h"
#include "refine/judge.h"
#include "refine/rule_book.h"

namespace shopstream::refine {

// Rows that a fixture expects and that are not there, or the other way round.
struct FixtureDifference {
  std::string file;
  int line = 0;                      // Of the fixture.
  std::string fixture;               // Its name.
  std::string table;                 // silver, rejects or gold_<name>
  std::string expected, found;       // Rows for people; "" where there is none.
  std::vector<std::string> columns;  // Those that differ, if there are both rows.
};

struct FixtureReport {
  int64_t fixtures = 0;
  int64_t rows = 0;  // Of input.
  std::vector<FixtureDifference> differences;
};

// Runs fixtures: purchases, and what is expected of them in Silver, the rejects and Gold.
// docs/refine.md describes the format. The rows are judged as in a pass and by the batch SQL, Gold
// is computed by the batch SQL and as two passes, and both must agree. One thread.
class Fixtures {
 public:
  // `book`: what decides, unless a fixture brings rules or rates of its own.
  Fixtures(std::shared_ptr<const RuleBook> book, std::vector<GoldFile> gold);
  ~Fixtures();

  // `text`: one or more YAML documents, each a fixture. Invalid: it is not one, with file and line,
  // or rules and SQL do not fit.
  Status Run(const std::string& text, const std::string& file, FixtureReport* report);

 private:
  struct World;
  struct Findings;

  Status RunOne(const YAML::Node& fixture, const std::string& text, const std::string& file,
                FixtureReport* report);
  Status CompareGold(const YamlReader& yaml, const YAML::Node& tables,
                     const FixtureVerdicts& verdicts, const Findings& findings);
  Result<World*> WorldOf(const YAML::Node& fixture, const std::string& text,
                         const std::string& file);

  const std::shared_ptr<const RuleBook> book_;
  FixtureGold gold_;
  std::map<std::string, std::unique_ptr<World>> worlds_;  // By rules and rates of the fixture.
};

}  // namespace shopstream::refine
