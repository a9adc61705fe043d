#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/acl.h"
#include "kafka/acl_admin.h"
#include "security/passwords.h"
#include "security/roles.h"

namespace shopstream::security {

struct SetupOptions {
  bool dry_run = false;        // Change nothing.
  bool set_passwords = false;  // Also of users that exist.
};

// A user or an ACL of one.
struct SetupStep {
  enum class State {
    kCreated,         // Or would be, in a dry run.
    kExists,          // Unchanged.
    kPasswordSet,     // The user exists; its password is the file's from now on.
    kNoPasswordFile,  // The user exists, and its password is not in the folder.
    kNotInTable,      // An ACL that the table does not have. It is left alone.
  };

  std::string principal;
  std::optional<kafka::Acl> acl;  // Nothing: the user.
  State state = State::kExists;
};

std::string_view NameOf(SetupStep::State state);

// Creates what is missing: password files, users and ACLs. Nothing is removed, so that a second run
// changes nothing.
Result<std::vector<SetupStep>> SetUp(const std::vector<Role>& roles, const Passwords& passwords,
                                     const SetupOptions& options, kafka::AclAdmin* admin);

}  // namespace shopstream::security
