#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "refine/rule_book.h"
#include "simulate/rule_texts.h"

namespace shopstream::simulate {

// Invalid: the text is broken.
Result<std::shared_ptr<const refine::RuleBook>> BookOfText(int number);
Result<std::string> FingerprintOfText(int number);
// The book of the number that `number` points to, which may change.
refine::RuleSource RulesFrom(const int* number);

}  // namespace shopstream::simulate
