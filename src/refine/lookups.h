#pragma once

#include <arrow/record_batch.h>
#include <arrow/util/decimal.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::refine {

// The look-up tables that Silver's SQL and rules read.
struct Lookups {
  // currency utf8, valid_from date32, rate decimal(18,8): dollars for one unit of the currency from
  // that date on. The pair of currency and date is unique; sorted by it.
  std::shared_ptr<arrow::RecordBatch> rates;
  // product_id utf8, category utf8: product_id is unique; sorted by it.
  std::shared_ptr<arrow::RecordBatch> categories;
};

struct CategoryFile {
  std::string path;
  std::string product_id, category;  // Its columns.
  bool optional = false;             // May be absent.
};

// A text file with the columns currency, valid_from and rate. Invalid names the file, the line and
// what is wrong with it.
Result<std::shared_ptr<arrow::RecordBatch>> ReadRates(const std::string& path);

// A rate as it is written in the file: "1.085". Invalid explains what is wrong.
struct Rate {
  std::string currency;
  int32_t valid_from;  // Days since 1970-01-01.
  arrow::Decimal128 rate;
};
Result<Rate> ParseRate(const std::string& currency, const std::string& valid_from,
                       const std::string& rate);
// Invalid: a pair of currency and date is given twice.
Result<std::shared_ptr<arrow::RecordBatch>> RatesTable(std::vector<Rate> rates);

// A YAML list of files {file, product_id, category, optional}; their paths are relative to it.
Result<std::vector<CategoryFile>> ParseCategoryFiles(const std::string& yaml,
                                                     const std::string& path);
// Whether it is optional, and absent.
bool IsLeftOut(const CategoryFile& file);
// Text or Parquet files. Of a product in several files, the first one counts; a product that is
// twice in one file with different categories is Invalid, as are products without an id. Products
// without a category are left out, and so are absent optional files.
Result<std::shared_ptr<arrow::RecordBatch>> ReadCategories(const std::vector<CategoryFile>& files);
Result<std::shared_ptr<arrow::RecordBatch>> CategoriesTable(
    const std::map<std::string, std::string>& category_of_product);

// The types of both tables.
std::shared_ptr<arrow::Schema> RatesSchema();
std::shared_ptr<arrow::Schema> CategoriesSchema();

}  // namespace shopstream::refine
