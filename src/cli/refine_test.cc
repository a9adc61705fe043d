#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/format.h"
#include "base/join.h"
#include "base/json.h"
#include "base/read_file.h"
#include "cli/refine_commands.h"
#include "refine/fixtures.h"
#include "refine/gold_files.h"

namespace shopstream::cli {
namespace {

struct RefineTestFlags {
  std::vector<std::string> files;
};

Result<std::vector<std::string>> FilesBeside(const std::string& rules) {
  const std::filesystem::path folder = std::filesystem::path(rules).parent_path() / "tests";
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  if (error || files.empty()) {
    return Status::IOError("there are no fixtures (*.yaml) in ", folder.string(), "/: name files");
  }
  std::ranges::sort(files);
  return files;
}

void PrintForPerson(const refine::FixtureReport& report, int64_t millis) {
  for (const auto& difference : report.differences) {
    std::cout << difference.file << ", line " << difference.line << ": "
              << Printable(difference.fixture) << ", " << difference.table << "\n  expected: "
              << (difference.expected.empty() ? "no such row" : difference.expected)
              << "\n  found:    " << (difference.found.empty() ? "no row" : difference.found)
              << "\n";
    if (!difference.columns.empty()) {
      std::cout << "  differs:  " << Joined(difference.columns, ", ") << "\n";
    }
  }
  const auto different = static_cast<int64_t>(report.differences.size());
  std::cout << Counted(report.fixtures, "fixture") << ", " << Counted(report.rows, "row") << ": "
            << (different == 0 ? "all as expected" : Counted(different, "difference")) << " · "
            << FormatMillis(millis) << "\n";
}

void PrintAsJson(const refine::FixtureReport& report) {
  nlohmann::ordered_json differences = nlohmann::ordered_json::array();
  for (const auto& difference : report.differences) {
    differences.push_back({{"file", difference.file},
                           {"line", difference.line},
                           {"fixture", difference.fixture},
                           {"table", difference.table},
                           {"expected", difference.expected},
                           {"found", difference.found},
                           {"columns", difference.columns}});
  }
  std::cout << DumpJson(nlohmann::ordered_json{{"fixtures", report.fixtures},
                                               {"rows", report.rows},
                                               {"differences", std::move(differences)}})
            << "\n";
}

Result<int> RunRefineTest(const Context& context, const RefineTestFlags& flags) {
  const BootClock::time_point start = BootClock::now();
  std::vector<std::string> files = flags.files;
  if (files.empty()) {
    ARROW_ASSIGN_OR_RAISE(files, FilesBeside(context.config.refine.rules));
  }
  // Results must not depend on which optional files were fetched.
  refine::RuleFiles rules = refine::RuleFiles::Of(context.config.refine);
  rules.optional_categories = false;
  ARROW_ASSIGN_OR_RAISE(auto book, refine::ReadRuleBook(rules));
  ARROW_ASSIGN_OR_RAISE(auto gold, refine::LoadGoldFiles(rules.sql_folder));
  refine::Fixtures fixtures(std::move(book), std::move(gold));
  refine::FixtureReport report;
  for (const std::string& file : files) {
    ARROW_ASSIGN_OR_RAISE(const std::string text, ReadFile(file));
    ARROW_RETURN_NOT_OK(fixtures.Run(text, file, &report));
  }
  if (context.json) {
    PrintAsJson(report);
  } else {
    PrintForPerson(report, std::chrono::duration_cast<Millis>(BootClock::now() - start).count());
  }
  return report.differences.empty() ? kDone : kDifferenceFound;
}

}  // namespace

Command RefineTestCommand() {
  auto flags = std::make_shared<RefineTestFlags>();
  return {.name = "test",
          .meaning = "Try rules and SQL on rows in files; exits with 3 if a result differs",
          .options = {{.name = "FILES",
                       .target = &flags->files,
                       .meaning = "Fixtures; otherwise those in tests/ beside refine.rules"}},
          .run = Running(flags, RunRefineTest)};
}

}  // namespace shopstream::cli
