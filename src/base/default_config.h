#pragma once

#include <filesystem>
#include <string>

#include "base/config.h"

namespace shopstream {

// The configuration used if none is named.
struct DefaultConfig {
  std::string file;  // config/pipeline.yaml if there is none anywhere.
  // The checkout that the file belongs to, if that is not the current folder; otherwise empty.
  std::filesystem::path checkout;
  // The folder whose config/ came with the program: its checkout, or the installed
  // share/shopstream; empty if there is none.
  std::filesystem::path shipped;
};

// The first of these that exists: config/pipeline.yaml in the current folder; the one of the
// checkout whose build/PRESET/ holds the program; the installed one,
// ../share/shopstream/config/pipeline.yaml from the program's folder. `program`: its path with all
// links resolved.
DefaultConfig FindDefaultConfig(const std::filesystem::path& program);

// The running program's path, with all links resolved; empty if it is unknown.
std::filesystem::path ProgramPath();

// Relative paths of a checkout's configuration count from the checkout, wherever the program runs.
// Those that the user gives, in the environment or by --set, count from the current folder.
void CountPathsFromCheckout(const std::filesystem::path& checkout, const ConfigSources& sources,
                            Config* config);

// refine's files that no setting names are the shipped ones if the current folder does not have
// them.
void UseShippedFiles(const std::filesystem::path& shipped, Config* config);

}  // namespace shopstream
