#include "cli/command.h"
#include "cli/refine_commands.h"

namespace shopstream::cli {

Command RefineCommand() {
  return {.name = "refine",
          .meaning = "What becomes of purchases in Silver and Gold",
          .commands = {RefineTestCommand(), RefineSqlCommand()}};
}

}  // namespace shopstream::cli
