#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "avro/columns.h"
#include "ingest/bronze_layout.h"

namespace shopstream::ingest {

// The values that Bronze's rows have in the partition fields, each combination with its index. A
// row's value is admitted, up to the bound, or the record is quarantined. One thread.
class PartitionTuples {
 public:
  static constexpr int kNew = -1;

  // Drops all values but those that the options list.
  void Clear(const BronzeLayout& layout);
  // Values that the table has already, which count towards the bound.
  void Admit(const std::vector<PartitionTuple>& tuples);

  // The index of the row's values, kNew if they may be added, or why they are not allowed.
  std::variant<int, std::string> Find(const BronzeLayout& layout, const avro::Columns& columns,
                                      int64_t row);
  // Adds the values of the last row for which Find returned kNew. Only a row admits values.
  int AddFound();

  const std::vector<PartitionTuple>& tuples() const { return tuples_; }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  int Add(PartitionTuple tuple);
  int IndexOf(std::string_view key) const;
  std::variant<int, std::string> FindOne(const BronzeLayout& layout, const avro::Columns& columns,
                                         int64_t row);
  std::variant<int, std::string> Judge(const BronzeLayout& layout) const;

  std::vector<PartitionTuple> tuples_;
  // The key of each tuple: its text, or all texts with their lengths.
  std::vector<std::string> keys_;
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> index_;
  int64_t counted_ = 0;   // Tuples that are not all null.
  PartitionTuple found_;  // The values of the last row that are new.
  std::string key_;       // Reused.
};

}  // namespace shopstream::ingest
