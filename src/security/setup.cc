#include "security/setup.h"

#include <set>

namespace shopstream::security {
namespace {

using State = SetupStep::State;

class Setup {
 public:
  Setup(const Passwords& passwords, const SetupOptions& options, kafka::AclAdmin* admin)
      : passwords_(passwords), options_(options), admin_(admin) {}

  Status AddUser(const Role& role, bool exists) {
    ARROW_ASSIGN_OR_RAISE(const State state, EnsureUser(role.user, exists));
    steps_.push_back({role.principal(), std::nullopt, state});
    return Status::OK();
  }

  Status AddAcls(const Role& role) {
    ARROW_ASSIGN_OR_RAISE(std::set<kafka::Acl> present, admin_->AclsOf(role.principal()));
    std::vector<kafka::Acl> missing;
    for (const kafka::Acl& acl : role.allow) {
      const bool exists = present.erase(acl) > 0;
      if (!exists) missing.push_back(acl);
      steps_.push_back({role.principal(), acl, exists ? State::kExists : State::kCreated});
    }
    if (!options_.dry_run) ARROW_RETURN_NOT_OK(admin_->Create(missing));
    for (const kafka::Acl& acl : present) {
      steps_.push_back({role.principal(), acl, State::kNotInTable});
    }
    return Status::OK();
  }

  std::vector<SetupStep> steps() && { return std::move(steps_); }

 private:
  // The file comes first: a user whose password nobody knows would be of no use.
  Result<State> EnsureUser(const std::string& user, bool exists) {
    ARROW_ASSIGN_OR_RAISE(auto password, passwords_.Find(user));
    if (exists && !options_.set_passwords) {
      return password ? State::kExists : State::kNoPasswordFile;
    }
    if (!options_.dry_run) {
      if (!password) {
        ARROW_ASSIGN_OR_RAISE(password, passwords_.Create(user));
      }
      ARROW_RETURN_NOT_OK(admin_->SetPassword(user, *password));
    }
    return exists ? State::kPasswordSet : State::kCreated;
  }

  const Passwords& passwords_;
  const SetupOptions& options_;
  kafka::AclAdmin* admin_;
  std::vector<SetupStep> steps_;
};

}  // namespace

std::string_view NameOf(SetupStep::State state) {
  switch (state) {
    case State::kCreated:
      return "created";
    case State::kExists:
      return "exists";
    case State::kPasswordSet:
      return "password set";
    case State::kNoPasswordFile:
      return "no password file";
    case State::kNotInTable:
      return "not in the table";
  }
  return "unknown";
}

Result<std::vector<SetupStep>> SetUp(const std::vector<Role>& roles, const Passwords& passwords,
                                     const SetupOptions& options, kafka::AclAdmin* admin) {
  std::vector<std::string> users;
  for (const Role& role : roles) users.push_back(role.user);
  ARROW_ASSIGN_OR_RAISE(const auto existing, admin->UsersAmong(users));
  Setup setup(passwords, options, admin);
  for (const Role& role : roles) {
    ARROW_RETURN_NOT_OK(setup.AddUser(role, existing.contains(role.user)));
    ARROW_RETURN_NOT_OK(setup.AddAcls(role));
  }
  return std::move(setup).steps();
}

}  // namespace shopstream::security
