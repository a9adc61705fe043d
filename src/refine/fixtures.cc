#include "refine/fixtures.h"

#include <utility>

#include "base/yaml_reader.h"
#include "refine/all_rows.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/fixture_compare.h"
#include "refine/fixture_rows.h"

namespace shopstream::refine {
namespace {

const std::vector<std::string>& FixtureKeysKnown() {
  static const std::vector<std::string> keys = {"name",  "description", "rates",  "rules",
                                                "input", "silver",      "rejects"};
  return keys;
}

Result<std::shared_ptr<arrow::RecordBatch>> RatesOf(const YamlReader& yaml,
                                                    const YAML::Node& node) {
  if (!node.IsSequence()) return yaml.Error(node, "'rates' is a list of rates");
  std::vector<Rate> rates;
  for (const YAML::Node& row : node) {
    ARROW_RETURN_NOT_OK(yaml.CheckKeys(row, {"currency", "valid_from", "rate"}, "a rate"));
    ARROW_ASSIGN_OR_RAISE(const std::string currency, yaml.Text(row, "currency"));
    ARROW_ASSIGN_OR_RAISE(const std::string valid_from, yaml.Text(row, "valid_from"));
    ARROW_ASSIGN_OR_RAISE(const std::string text, yaml.Text(row, "rate"));
    auto rate = ParseRate(currency, valid_from, text);
    if (!rate.ok()) return yaml.Error(row, rate.status().message());
    rates.push_back(*std::move(rate));
  }
  auto table = RatesTable(std::move(rates));
  return table.ok() ? table : yaml.Error(node, table.status().message());
}

// The rows for which `keep` is true.
template <typename Keep>
Result<std::shared_ptr<arrow::RecordBatch>> RowsWhere(
    const std::shared_ptr<arrow::RecordBatch>& rows, Keep keep) {
  std::vector<int32_t> positions;
  for (int32_t row = 0; row < rows->num_rows(); ++row) {
    if (keep(row)) positions.push_back(row);
  }
  return RowsAt(rows, positions);
}

// A pass decides duplicates by another way, so that only the other reasons can be compared.
std::string WithoutDuplicate(const std::string& reasons) {
  return reasons == kDuplicate ? "" : reasons;
}

// Where a pass and the batch SQL differ. `batch`: rows with the number of their row in the pass.
std::vector<RowDifference> CompareWays(const Verdicts& pass, const arrow::RecordBatch& batch) {
  const std::pair<const char*, std::shared_ptr<arrow::Array>> columns[] = {
      {kReasons, pass.reasons},
      {"warnings", pass.warnings},
      {kEventHour, pass.event_hour},
      {kAmountUsd, pass.amount_usd},
      {kProductCategory, pass.product_category},
      {kLate, pass.late}};
  const auto& numbers = static_cast<const arrow::Int64Array&>(*batch.GetColumnByName(kBronzeRow));
  std::vector<RowDifference> differences;
  for (const auto& [name, of_pass] : columns) {
    const auto in_batch = batch.GetColumnByName(name);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const std::string expected = FixtureText(*in_batch, row);
      const std::string found = FixtureText(*of_pass, numbers.Value(row));
      if (WithoutDuplicate(expected) == found) continue;
      const std::string which = "row " + std::to_string(numbers.Value(row) + 1) + ", " + name;
      differences.push_back(
          {which + " by the batch SQL: " + expected, which + " by the SQL of a pass: " + found});
    }
  }
  return differences;
}

}  // namespace

// What rules and rates of a fixture need, prepared once.
struct Fixtures::World {
  std::unique_ptr<Judge> judge;
  std::vector<sql::Query> batch;
};

Fixtures::Fixtures(std::shared_ptr<const RuleBook> book) : book_(std::move(book)) {}
Fixtures::~Fixtures() = default;

Result<Fixtures::World*> Fixtures::WorldOf(const YAML::Node& fixture, const std::string& text,
                                           const std::string& file) {
  const YamlReader yaml(file);
  std::string key;
  for (const char* part : {"rates", "rules"}) {
    if (fixture[part]) key += std::string(part) + YAML::Dump(fixture[part]) + "\n";
  }
  std::unique_ptr<World>& world = worlds_[key];
  if (world != nullptr) return world.get();
  auto book = std::make_shared<RuleBook>(*book_);
  if (fixture["rates"]) {
    ARROW_ASSIGN_OR_RAISE(book->lookups.rates, RatesOf(yaml, fixture["rates"]));
  }
  if (fixture["rules"]) {
    book->rules.file = file;
    ARROW_ASSIGN_OR_RAISE(book->rules.rules, ParseRuleList(fixture["rules"], text, file));
  }
  auto made = std::make_unique<World>();
  ARROW_ASSIGN_OR_RAISE(
      made->judge, Judge::Open(std::move(book), RefineColumns::From(PurchaseBronzeSchema()), {}));
  JudgeText all = made->judge->text();
  all.columns.push_back({kRowNumber, kBronzeRow, kBronzeRow});
  ARROW_ASSIGN_OR_RAISE(made->batch,
                        made->judge->session()->Prepare(
                            {SilverBatchSql(all, BatchRows::kAll, Dialect::kDuckDb), "", 1}));
  world = std::move(made);
  return world.get();
}

Status Fixtures::RunOne(const YAML::Node& fixture, const std::string& text, const std::string& file,
                        FixtureReport* report) {
  const YamlReader yaml(file);
  ARROW_RETURN_NOT_OK(yaml.CheckKeys(fixture, FixtureKeysKnown(), "a fixture"));
  ARROW_ASSIGN_OR_RAISE(const std::string name, yaml.Text(fixture, "name"));
  if (!fixture["input"]) return yaml.Error(fixture, "'input' is missing");
  ARROW_ASSIGN_OR_RAISE(const auto input, ParseBronzeRows(yaml, fixture["input"]));
  ARROW_ASSIGN_OR_RAISE(World* const world, WorldOf(fixture, text, file));
  ARROW_ASSIGN_OR_RAISE(const Verdicts verdicts, world->judge->Look(input));
  ARROW_ASSIGN_OR_RAISE(const auto rows, AllRows(&world->batch.front()));
  const auto& reasons = static_cast<const arrow::StringArray&>(*rows->GetColumnByName(kReasons));
  const auto add = [&](const std::string& table, const std::vector<RowDifference>& differences) {
    for (const RowDifference& difference : differences) {
      report->differences.push_back(
          {file, fixture.Mark().line + 1, name, table, difference.expected, difference.found});
    }
  };
  add("silver and rejects", CompareWays(verdicts, *rows));
  for (const bool is_silver : {true, false}) {
    const char* const table = is_silver ? "silver" : "rejects";
    if (!fixture[table]) continue;
    ARROW_ASSIGN_OR_RAISE(const auto chosen, RowsWhere(rows, [&](int64_t row) {
                            return reasons.GetView(row).empty() == is_silver;
                          }));
    ARROW_ASSIGN_OR_RAISE(const auto differences, CompareRows(yaml, fixture[table], *chosen));
    add(table, differences);
  }
  ++report->fixtures;
  report->rows += input->num_rows();
  return Status::OK();
}

Status Fixtures::Run(const std::string& text, const std::string& file, FixtureReport* report) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty()) return Status::Invalid(file, " has no fixture");
    for (const YAML::Node& fixture : documents) {
      ARROW_RETURN_NOT_OK(RunOne(fixture, text, file, report));
    }
    return Status::OK();
  } catch (const YAML::Exception& error) {
    return Status::Invalid(file, ", line ", error.mark.line + 1, ": ", error.msg);
  }
}

}  // namespace shopstream::refine
