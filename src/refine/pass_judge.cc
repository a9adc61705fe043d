#include "refine/pass_judge.h"

#include <utility>

namespace shopstream::refine {
namespace {

using CurrentRules = FilesInForce<std::shared_ptr<const RuleBook>>;

// Accepts a rule book by preparing its statements.
CurrentRules::Accept OpensAs(std::shared_ptr<Judge>* judge, const RefineColumns& columns,
                             const PassJudge::OpenJudge& open) {
  return [judge, &columns, &open](const std::shared_ptr<const RuleBook>& book) -> Status {
    ARROW_ASSIGN_OR_RAISE(*judge, open(book, columns));
    return Status::OK();
  };
}

}  // namespace

PassJudge::OpenJudge PassJudge::NewJudge(const sql::EngineOptions& options) {
  return [options](const std::shared_ptr<const RuleBook>& book,
                   const RefineColumns& columns) -> Result<std::shared_ptr<Judge>> {
    ARROW_ASSIGN_OR_RAISE(auto judge, Judge::Open(book, columns, options));
    return std::shared_ptr<Judge>(std::move(judge));
  };
}

Result<std::unique_ptr<PassJudge>> PassJudge::Open(RuleSource source, const RefineColumns& columns,
                                                   OpenJudge open) {
  std::shared_ptr<Judge> first;
  ARROW_ASSIGN_OR_RAISE(auto rules,
                        CurrentRules::Open(std::move(source), OpensAs(&first, columns, open)));
  std::unique_ptr<PassJudge> judge(new PassJudge(std::move(rules), columns, std::move(open)));
  judge->judge_ = std::move(first);
  return judge;
}

void PassJudge::Reload(const RefineColumns& columns) {
  std::shared_ptr<Judge> opened;
  rules_.Reload(OpensAs(&opened, columns, open_));
  if (opened != nullptr) {
    judge_ = std::move(opened);
    columns_ = columns;
  }
}

Result<Verdicts> PassJudge::Look(const RefineColumns& columns,
                                 const std::shared_ptr<arrow::RecordBatch>& rows) {
  if (!columns.bronze->Equals(*columns_.bronze)) {
    ARROW_ASSIGN_OR_RAISE(judge_, open_(rules_.value(), columns));
    columns_ = columns;
  }
  return judge_->Look(rows);
}

}  // namespace shopstream::refine
