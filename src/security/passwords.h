#pragma once

#include <optional>
#include <string>

#include "base/status.h"

namespace shopstream::security {

// A folder with the passwords of users, one file <user>.password each, which only its owner may
// read. Once a password was read or created, no line of the log contains it, and no core dump and
// no other process of the same user sees this process's memory.
class Passwords {
 public:
  explicit Passwords(std::string folder) : folder_(std::move(folder)) {}

  std::string PathOf(const std::string& user) const;
  // Nothing: there is no file. Invalid: others may read the file, or it is empty.
  Result<std::optional<std::string>> Find(const std::string& user) const;
  // Writes a random password of 192 bits; the folder is created too. Returns the file's password if
  // another process has written one meanwhile.
  Result<std::string> Create(const std::string& user) const;

 private:
  std::string folder_;
};

}  // namespace shopstream::security
