#include "refine/fixtures.h"

#include <arrow/array/util.h>

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/nearest_name.h"
#include "base/yaml_reader.h"
#include "model/calendar.h"
#include "refine/all_rows.h"
#include "refine/closed_dates.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/fixture_compare.h"
#include "refine/fixture_rows.h"

namespace shopstream::refine {
namespace {

const std::vector<std::string>& FixtureKeysKnown() {
  static const std::vector<std::string> keys = {
      "name", "description", "rates", "rules", "horizon", "input", "silver", "rejects", "gold"};
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

Result<ClosedDates> ClosedDatesOf(const YamlReader& yaml, const YAML::Node& fixture) {
  if (!fixture["horizon"]) return ClosedDates::Before(std::nullopt);
  ARROW_ASSIGN_OR_RAISE(const std::string text, yaml.Text(fixture, "horizon"));
  const auto date = ParseDate(text);
  if (!date) return yaml.Error(fixture["horizon"], "'horizon' is a date such as 2025-10-24");
  return ClosedDates::Before(date);
}

// The rows by their number in the input, so that they can be divided into passes; what only a pass
// gives them is null.
Result<FixtureVerdicts> VerdictsOf(const RefineColumns& columns,
                                   const std::shared_ptr<arrow::RecordBatch>& judged,
                                   const ClosedDates& closed) {
  const auto& numbers = static_cast<const arrow::Int64Array&>(*judged->GetColumnByName(kBronzeRow));
  std::vector<int32_t> order(static_cast<size_t>(judged->num_rows()));
  for (int32_t row = 0; row < judged->num_rows(); ++row) {
    order[static_cast<size_t>(numbers.Value(row))] = row;
  }
  FixtureVerdicts verdicts;
  ARROW_ASSIGN_OR_RAISE(verdicts.rows, RowsAt(judged, order));
  for (const auto& field : columns.silver->fields()) {
    if (verdicts.rows->GetColumnByName(field->name()) != nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(const auto nulls,
                          arrow::MakeArrayOfNull(field->type(), judged->num_rows()));
    ARROW_ASSIGN_OR_RAISE(verdicts.rows, verdicts.rows->AddColumn(0, field, nulls));
  }
  const int index = verdicts.rows->schema()->GetFieldIndex(kReasons);
  ARROW_ASSIGN_OR_RAISE(const auto reasons,
                        closed.Reject(*verdicts.rows, std::static_pointer_cast<arrow::StringArray>(
                                                          verdicts.rows->column(index))));
  ARROW_ASSIGN_OR_RAISE(verdicts.rows, verdicts.rows->SetColumn(
                                           index, verdicts.rows->schema()->field(index), reasons));
  for (int32_t row = 0; row < reasons->length(); ++row) {
    const std::string_view reason = reasons->GetView(row);
    (reason.empty() ? verdicts.silver : verdicts.rejects).push_back(row);
    if (!reason.empty() && reason != kClosedDate) verdicts.open_rejects.push_back(row);
  }
  return verdicts;
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

// Collects the differences of one fixture.
struct Fixtures::Findings {
  std::string file;
  int line = 0;
  std::string fixture;
  FixtureReport* report = nullptr;

  void Add(const std::string& table, const std::vector<RowDifference>& differences) const {
    for (const RowDifference& difference : differences) {
      report->differences.push_back(
          {file, line, fixture, table, difference.expected, difference.found, difference.columns});
    }
  }
};

// What rules and rates of a fixture need, prepared once.
struct Fixtures::World {
  std::unique_ptr<Judge> judge;
  std::vector<sql::Query> batch;
};

Fixtures::Fixtures(std::shared_ptr<const RuleBook> book, std::vector<GoldFile> gold)
    : book_(std::move(book)), gold_(std::move(gold), RefineColumns::From(PurchaseBronzeSchema())) {}
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
  ARROW_ASSIGN_OR_RAISE(const Verdicts of_pass, world->judge->Look(input));
  ARROW_ASSIGN_OR_RAISE(const auto of_batch, AllRows(&world->batch.front()));
  Findings findings{
      .file = file, .line = fixture.Mark().line + 1, .fixture = name, .report = report};
  findings.Add("silver and rejects", CompareWays(of_pass, *of_batch));
  ARROW_ASSIGN_OR_RAISE(const ClosedDates closed, ClosedDatesOf(yaml, fixture));
  ARROW_ASSIGN_OR_RAISE(const auto verdicts, VerdictsOf(gold_.columns(), of_batch, closed));
  for (const bool is_silver : {true, false}) {
    const char* const table = is_silver ? "silver" : "rejects";
    if (!fixture[table]) continue;
    ARROW_ASSIGN_OR_RAISE(const auto chosen,
                          RowsAt(verdicts.rows, is_silver ? verdicts.silver : verdicts.rejects));
    ARROW_ASSIGN_OR_RAISE(const auto differences, CompareRows(yaml, fixture[table], *chosen));
    findings.Add(table, differences);
  }
  if (fixture["gold"]) {
    ARROW_RETURN_NOT_OK(CompareGold(yaml, fixture["gold"], verdicts, findings));
  }
  ++report->fixtures;
  report->rows += input->num_rows();
  return Status::OK();
}

Status Fixtures::CompareGold(const YamlReader& yaml, const YAML::Node& tables,
                             const FixtureVerdicts& verdicts, const Findings& findings) {
  if (!tables.IsMap()) return yaml.Error(tables, "'gold' names tables, each with a list of rows");
  for (const auto& entry : tables) {
    const std::string name = entry.first.Scalar();
    const std::vector<std::string> known = gold_.Tables();
    if (std::ranges::find(known, name) == known.end()) {
      return yaml.Error(entry.first, "there is no Gold table '", Printable(name), "'",
                        DidYouMean(name, known));
    }
    ARROW_ASSIGN_OR_RAISE(const FixtureGoldRows rows, gold_.Compute(name, verdicts));
    ARROW_ASSIGN_OR_RAISE(const auto batch, CompareRows(yaml, entry.second, *rows.batch));
    ARROW_ASSIGN_OR_RAISE(const auto passes, CompareRows(yaml, entry.second, *rows.passes));
    findings.Add("gold_" + name, batch);
    // What is wrong in both ways is shown once.
    if (passes != batch) findings.Add("gold_" + name + " in two passes", passes);
  }
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
