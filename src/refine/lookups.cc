#include "refine/lookups.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

#include "base/format.h"
#include "base/table_file.h"
#include "base/timestamp.h"
#include "base/yaml_reader.h"
#include "model/calendar.h"
#include "refine/rules.h"

namespace shopstream::refine {
namespace {

constexpr int32_t kRateScale = 8, kRatePrecision = 18;

// Line of a text file, of which the header is the first.
int64_t LookupLine(const arrow::RecordBatch& rows, int64_t row) {
  const auto numbers = rows.GetColumnByName(kRowColumn);
  return static_cast<const arrow::Int64Array&>(*numbers).Value(row) + 1;
}

// Calls `use` with each batch of the file's columns, as text.
template <typename Use>
Status ReadTexts(const std::string& path, const std::vector<std::string>& columns, Use use) {
  ARROW_ASSIGN_OR_RAISE(const TableFile file, TableFile::Open(path, {}, columns));
  ARROW_ASSIGN_OR_RAISE(const auto reader, file.Read(columns, nullptr));
  while (true) {
    std::shared_ptr<arrow::RecordBatch> rows;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&rows));
    if (rows == nullptr) return Status::OK();
    std::vector<std::shared_ptr<arrow::StringArray>> texts;
    for (size_t i = 0; i < columns.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(
          const auto text, arrow::compute::Cast(*rows->column(static_cast<int>(i)), arrow::utf8()));
      texts.push_back(std::static_pointer_cast<arrow::StringArray>(text));
    }
    ARROW_RETURN_NOT_OK(use(*rows, texts));
  }
}

std::string LookupText(const arrow::StringArray& texts, int64_t row) {
  return texts.IsNull(row) ? "" : texts.GetString(row);
}

// Only digits and at most one point: what FromString takes beyond that is not meant.
bool IsPlainDecimal(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos &&
         std::ranges::count(text, '.') <= 1 && text != ".";
}

Result<arrow::Decimal128> ParseRateNumber(const std::string& text) {
  arrow::Decimal128 value;
  int32_t precision = 0, scale = 0;
  if (!IsPlainDecimal(text) ||
      !arrow::Decimal128::FromString(text, &value, &precision, &scale).ok() || scale > kRateScale) {
    return Status::Invalid("rate '", Printable(text), "' is not a number with up to 8 decimals");
  }
  const auto rescaled = value.Rescale(scale, kRateScale);
  if (!rescaled.ok() || !rescaled->FitsInPrecision(kRatePrecision)) {
    return Status::Invalid("rate '", text, "' has more than 10 digits before the point");
  }
  if (*rescaled == arrow::Decimal128(0)) return Status::Invalid("a rate must be above 0");
  return *rescaled;
}

Status AddCategories(const CategoryFile& file, std::map<std::string, std::string>* categories) {
  std::map<std::string, std::string> of_file;
  const auto add = [&](const arrow::RecordBatch& rows, const auto& texts) {
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      const std::string product = LookupText(*texts[0], row), category = LookupText(*texts[1], row);
      if (product.empty()) {
        return Status::Invalid(file.path, ", line ", LookupLine(rows, row), ": ", file.product_id,
                               " is missing");
      }
      if (category.empty()) continue;
      const auto [known, is_new] = of_file.try_emplace(product, category);
      if (is_new || known->second == category) continue;
      return Status::Invalid(file.path, ", line ", LookupLine(rows, row), ": product ",
                             Printable(product), " has the category ", Printable(category),
                             ", and in an earlier line ", Printable(known->second));
    }
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(ReadTexts(file.path, {file.product_id, file.category}, add));
  categories->merge(of_file);
  return Status::OK();
}

Result<CategoryFile> ReadCategoryFile(const YamlReader& yaml, const YAML::Node& node,
                                      const std::filesystem::path& folder) {
  ARROW_RETURN_NOT_OK(
      yaml.CheckKeys(node, {"file", "product_id", "category", "optional"}, "a file"));
  CategoryFile file;
  ARROW_ASSIGN_OR_RAISE(const std::string path, yaml.Text(node, "file"));
  file.path = (folder / path).lexically_normal();
  ARROW_ASSIGN_OR_RAISE(file.product_id, yaml.Text(node, "product_id"));
  ARROW_ASSIGN_OR_RAISE(file.category, yaml.Text(node, "category"));
  ARROW_ASSIGN_OR_RAISE(file.optional, yaml.Word(node, "optional", "true"));
  return file;
}

}  // namespace

std::shared_ptr<arrow::Schema> RatesSchema() {
  return arrow::schema({arrow::field("currency", arrow::utf8()),
                        arrow::field("valid_from", arrow::date32()),
                        arrow::field("rate", arrow::decimal128(kRatePrecision, kRateScale))});
}

std::shared_ptr<arrow::Schema> CategoriesSchema() {
  return arrow::schema(
      {arrow::field("product_id", arrow::utf8()), arrow::field("category", arrow::utf8())});
}

Result<Rate> ParseRate(const std::string& currency, const std::string& valid_from,
                       const std::string& rate) {
  if (currency.empty()) return Status::Invalid("currency is missing");
  const auto date = ParseIsoTime(valid_from);
  if (!date.ok() || date->clock_millis % kMillisPerDay != 0 || date->offset_millis) {
    return Status::Invalid("valid_from '", Printable(valid_from),
                           "' is not a date such as 2025-10-24");
  }
  ARROW_ASSIGN_OR_RAISE(const arrow::Decimal128 value, ParseRateNumber(rate));
  return Rate{.currency = currency,
              .valid_from = static_cast<int32_t>(date->clock_millis / kMillisPerDay),
              .rate = value};
}

Result<std::shared_ptr<arrow::RecordBatch>> RatesTable(std::vector<Rate> rates) {
  const auto key = [](const Rate& rate) { return std::tie(rate.currency, rate.valid_from); };
  std::ranges::sort(rates, [&](const Rate& a, const Rate& b) { return key(a) < key(b); });
  arrow::StringBuilder currencies;
  arrow::Date32Builder dates;
  arrow::Decimal128Builder values(arrow::decimal128(kRatePrecision, kRateScale));
  for (size_t i = 0; i < rates.size(); ++i) {
    if (i > 0 && key(rates[i - 1]) == key(rates[i])) {
      const int64_t day = int64_t{rates[i].valid_from} * kMillisPerDay;
      return Status::Invalid("the rate of ", Printable(rates[i].currency), " from ",
                             FormatTimestamp(day).substr(0, 10), " on is given twice");
    }
    ARROW_RETURN_NOT_OK(currencies.Append(rates[i].currency));
    ARROW_RETURN_NOT_OK(dates.Append(rates[i].valid_from));
    ARROW_RETURN_NOT_OK(values.Append(rates[i].rate));
  }
  arrow::ArrayVector columns(3);
  ARROW_RETURN_NOT_OK(currencies.Finish(&columns[0]));
  ARROW_RETURN_NOT_OK(dates.Finish(&columns[1]));
  ARROW_RETURN_NOT_OK(values.Finish(&columns[2]));
  const auto count = static_cast<int64_t>(rates.size());
  return arrow::RecordBatch::Make(RatesSchema(), count, std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> ReadRates(const std::string& path) {
  std::vector<Rate> rates;
  const auto add = [&](const arrow::RecordBatch& rows, const auto& texts) {
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      auto rate = ParseRate(LookupText(*texts[0], row), LookupText(*texts[1], row),
                            LookupText(*texts[2], row));
      if (!rate.ok()) {
        return rate.status().WithMessage(path, ", line ", LookupLine(rows, row), ": ",
                                         rate.status().message());
      }
      rates.push_back(*std::move(rate));
    }
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(ReadTexts(path, RatesSchema()->field_names(), add));
  auto table = RatesTable(std::move(rates));
  if (table.ok()) return table;
  return table.status().WithMessage(path, ": ", table.status().message());
}

Result<std::vector<CategoryFile>> ParseCategoryFiles(const std::string& yaml,
                                                     const std::string& path) {
  try {
    const YamlReader reader(path);
    const YAML::Node root = YAML::Load(yaml);
    if (!root.IsSequence()) return reader.Error(root, "the file is a list of files");
    std::vector<CategoryFile> files;
    for (const YAML::Node& node : root) {
      ARROW_ASSIGN_OR_RAISE(
          files.emplace_back(),
          ReadCategoryFile(reader, node, std::filesystem::path(path).parent_path()));
    }
    return files;
  } catch (const YAML::Exception& error) {
    return Status::Invalid(path, ", line ", error.mark.line + 1, ": ", error.msg);
  }
}

bool IsLeftOut(const CategoryFile& file) {
  std::error_code error;
  return file.optional && !std::filesystem::exists(file.path, error) && !error;
}

Result<std::shared_ptr<arrow::RecordBatch>> ReadCategories(const std::vector<CategoryFile>& files) {
  std::map<std::string, std::string> categories;
  for (const CategoryFile& file : files) {
    if (!IsLeftOut(file)) ARROW_RETURN_NOT_OK(AddCategories(file, &categories));
  }
  return CategoriesTable(categories);
}

Result<std::shared_ptr<arrow::RecordBatch>> CategoriesTable(
    const std::map<std::string, std::string>& category_of_product) {
  arrow::StringBuilder products, names;
  for (const auto& [product, category] : category_of_product) {
    ARROW_RETURN_NOT_OK(products.Append(product));
    ARROW_RETURN_NOT_OK(names.Append(category));
  }
  arrow::ArrayVector columns(2);
  ARROW_RETURN_NOT_OK(products.Finish(&columns[0]));
  ARROW_RETURN_NOT_OK(names.Finish(&columns[1]));
  const auto count = static_cast<int64_t>(category_of_product.size());
  return arrow::RecordBatch::Make(CategoriesSchema(), count, std::move(columns));
}

}  // namespace shopstream::refine
