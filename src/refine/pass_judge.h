#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "refine/columns.h"
#include "refine/files_in_force.h"
#include "refine/judge.h"
#include "refine/rule_book.h"
#include "sql/engine.h"

namespace shopstream::refine {

// Judges one pass after the other, by rules that may change in between. One thread.
class PassJudge {
 public:
  // How a judge is opened; one that is the same for a book and columns may be shared by several
  // refines of one thread.
  using OpenJudge = std::function<Result<std::shared_ptr<Judge>>(
      const std::shared_ptr<const RuleBook>&, const RefineColumns&)>;
  static OpenJudge NewJudge(const sql::EngineOptions& options);

  // Errors name the file and the line of the rule or SQL that cannot be used.
  static Result<std::unique_ptr<PassJudge>> Open(RuleSource source, const RefineColumns& columns,
                                                 OpenJudge open);

  // Takes the rules from their files again if these have changed. Rules that cannot be used leave
  // the ones in force; see broken().
  void Reload(const RefineColumns& columns);
  // OK: the rules in force are those of the files.
  const Status& broken() const { return rules_.broken(); }
  const RuleBook& book() const { return *rules_.value(); }

  // `rows`: all of Bronze's columns, for which `columns` were made.
  Result<Verdicts> Look(const RefineColumns& columns,
                        const std::shared_ptr<arrow::RecordBatch>& rows);

 private:
  using CurrentRules = FilesInForce<std::shared_ptr<const RuleBook>>;

  PassJudge(CurrentRules rules, RefineColumns columns, OpenJudge open)
      : rules_(std::move(rules)), columns_(std::move(columns)), open_(std::move(open)) {}

  CurrentRules rules_;
  RefineColumns columns_;
  const OpenJudge open_;
  std::shared_ptr<Judge> judge_;
};

}  // namespace shopstream::refine
