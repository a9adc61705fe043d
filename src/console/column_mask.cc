#include "console/column_mask.h"

#include <arrow/type.h>

#include <algorithm>

#include "console/record_answer.h"

namespace shopstream::console {
namespace {

constexpr std::string_view kRefinedPrefix = "bronze_";  // Of a column named as one of refine's.

// Bronze adds '_' to a name that is taken.
std::string_view WithoutSuffix(std::string_view name) {
  while (name.ends_with('_')) name.remove_suffix(1);
  return name;
}

std::string Flattened(std::string path) {
  std::ranges::replace(path, '.', '_');
  return path;
}

// The names of the copies of masked members of the type, which is at this path.
void AddCopies(const Masking& masking, const arrow::DataType& type, const std::string& path,
               std::set<std::string, std::less<>>* names) {
  for (const auto& member : type.fields()) {
    const bool is_struct = type.id() == arrow::Type::STRUCT;
    const std::string place = is_struct ? path + "." + member->name() : path;
    if (is_struct && masking.masks(place)) names->insert(Flattened(place));
    AddCopies(masking, *member->type(), place, names);
  }
}

}  // namespace

ColumnMask::ColumnMask(const Masking& masking, const arrow::Schema& schema) : masking_(masking) {
  if (!masking.active()) return;
  for (const auto& field : schema.fields()) {
    if (HidesAny(masking, *field)) columns_.insert(field->name());
    AddCopies(masking, *field->type(), field->name(), &columns_);
  }
}

bool ColumnMask::hides(std::string_view column) const {
  if (!masking_.active()) return false;
  const std::string_view plain = WithoutSuffix(column);
  if (columns_.contains(column) || columns_.contains(plain)) return true;
  if (masking_.masks_column(column) || masking_.masks_column(plain)) return true;
  if (!plain.starts_with(kRefinedPrefix)) return false;
  const std::string_view original = plain.substr(kRefinedPrefix.size());
  return columns_.contains(original) || masking_.masks_column(original);
}

std::vector<int> ColumnMask::ColumnsOf(const arrow::Schema& schema) const {
  std::vector<int> hidden;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (hides(schema.field(i)->name())) hidden.push_back(i);
  }
  return hidden;
}

std::string ColumnMask::HideIn(const std::string& path) const {
  std::string hidden;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    const size_t equals = part.find('=');
    const bool is_hidden = equals != std::string::npos && hides(part.substr(0, equals));
    hidden += (begin == 0 ? "" : "/") + (is_hidden ? part.substr(0, equals + 1) + "*" : part);
    begin = end + 1;
  }
  return hidden;
}

}  // namespace shopstream::console
