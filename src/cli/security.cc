#include <algorithm>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/default_config.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "kafka/acl_admin.h"
#include "registry/kafka_store.h"
#include "security/access.h"
#include "security/check.h"
#include "security/passwords.h"
#include "security/roles.h"
#include "security/setup.h"

namespace shopstream::cli {
namespace {

using security::Act;
using security::Role;
using security::SetupStep;

struct SecurityFlags {
  std::string roles_file;  // Empty: config/roles.yaml, or the one that came with the program.
  std::vector<std::string> roles;
  std::string secrets = ".shopstream/secrets";
  security::SetupOptions setup;
};

std::string RolesFile(const SecurityFlags& flags) {
  const std::string usual = "config/roles.yaml";
  if (!flags.roles_file.empty()) return flags.roles_file;
  if (std::filesystem::exists(usual)) return usual;
  return FindDefaultConfig(ProgramPath()).shipped / usual;
}

security::Names NamesOf(const Context& context) {
  return {{"topic", context.config.kafka.topic},
          {"group", context.config.kafka.group},
          {"schemas", registry::KafkaStoreOptions().topic}};
}

Result<std::vector<Role>> AllRoles(const Context& context, const SecurityFlags& flags) {
  return security::ReadRoles(RolesFile(flags), NamesOf(context));
}

// ---- setup

std::string_view StateOf(const SetupStep& step, bool dry_run) {
  using State = SetupStep::State;
  if (dry_run && step.state == State::kCreated) return "would be created";
  if (dry_run && step.state == State::kPasswordSet) return "would be set";
  return NameOf(step.state);
}

void PrintSteps(const std::vector<SetupStep>& steps, bool dry_run, bool as_json) {
  TablePrinter table({"principal", "object", "resource", "pattern", "operation", "state"});
  for (const SetupStep& step : steps) {
    const std::string_view state = StateOf(step, dry_run);
    if (step.acl) {
      table.AddRow({step.principal, "ACL", TextOf(step.acl->resource), NameOf(step.acl->pattern),
                    NameOf(step.acl->operation), state});
    } else {
      table.AddRow({step.principal, "user", nullptr, nullptr, nullptr, state});
    }
  }
  table.Print(std::cout, as_json);
}

// What a person should look at.
void WarnOf(const SetupStep& step, const security::Passwords& passwords) {
  if (step.state == SetupStep::State::kNotInTable) {
    Log::Tell(LogLevel::kWarn, "not in the table, and left alone: " + TextOf(*step.acl));
  } else if (step.state == SetupStep::State::kNoPasswordFile) {
    const std::string user = step.principal.substr(step.principal.find(':') + 1);
    Log::Tell(LogLevel::kWarn, step.principal + " exists, but its password is not in " +
                                   passwords.PathOf(user) +
                                   ": write it there, or replace it with --set-passwords");
  }
}

Result<int> SetUpSecurity(const Context& context, const SecurityFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto all, AllRoles(context, flags));
  ARROW_ASSIGN_OR_RAISE(const auto roles, security::Chosen(all, flags.roles));
  const security::Passwords passwords(flags.secrets);
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::AclAdmin::Open(context.config.kafka));
  ARROW_ASSIGN_OR_RAISE(const auto steps,
                        security::SetUp(roles, passwords, flags.setup, admin.get()));
  PrintSteps(steps, flags.setup.dry_run, context.json);
  for (const SetupStep& step : steps) WarnOf(step, passwords);
  if (flags.setup.dry_run) Log::Tell(LogLevel::kInfo, "Dry run: nothing was changed.");
  const bool complete = std::ranges::none_of(
      steps, [](const SetupStep& step) { return step.state == SetupStep::State::kNoPasswordFile; });
  return complete ? kDone : kDifferenceFound;
}

// ---- show

// The operations of consecutive ACLs of one pattern.
std::string OperationsFrom(const std::vector<kafka::Acl>& acls, size_t* at) {
  const kafka::Acl& first = acls[*at];
  std::string operations;
  for (; *at < acls.size(); ++*at) {
    const kafka::Acl& acl = acls[*at];
    if (acl.resource != first.resource || acl.pattern != first.pattern) break;
    operations += (operations.empty() ? "" : " ") + std::string(NameOf(acl.operation));
  }
  return operations;
}

Result<int> ShowSecurity(const Context& context, const SecurityFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto all, AllRoles(context, flags));
  ARROW_ASSIGN_OR_RAISE(const auto roles, security::Chosen(all, flags.roles));
  TablePrinter table({"role", "principal", "resource", "pattern", "operations", "runs"});
  for (const Role& role : roles) {
    if (role.allow.empty()) {
      table.AddRow({role.name, role.principal(), nullptr, nullptr, "none", role.runs});
    }
    for (size_t at = 0; at < role.allow.size();) {
      const kafka::Acl& acl = role.allow[at];
      table.AddRow({role.name, role.principal(), TextOf(acl.resource), NameOf(acl.pattern),
                    OperationsFrom(role.allow, &at), role.runs});
    }
  }
  table.Print(std::cout, context.json);
  return kDone;
}

// ---- check

const char* AllowedText(bool allowed) { return allowed ? "allowed" : "denied"; }

Cell ResultOf(const Act& act) {
  if (!act.allowed) return {"not tried", Cell::State::kUnknown};
  return {AllowedText(*act.allowed),
          act.as_the_table_says() ? Cell::State::kPlain : Cell::State::kBad};
}

// The acts of one role, or why they could not be tried.
struct RoleCheck {
  const Role* role;
  Result<std::vector<Act>> acts;

  int64_t differences() const {
    if (!acts.ok()) return 1;
    return std::ranges::count_if(*acts, [](const Act& act) { return !act.as_the_table_says(); });
  }
};

Result<std::vector<Act>> Check(const Context& context, const Role& role,
                               const security::Passwords& passwords,
                               const std::vector<kafka::Resource>& resources) {
  ARROW_ASSIGN_OR_RAISE(const auto password, passwords.Find(role.user));
  if (!password) {
    return Status::Invalid(role.principal(), ": there is no ", passwords.PathOf(role.user),
                           ": create it with `shopstream security setup`, or name the folder ",
                           "with --secrets");
  }
  const KafkaConfig config = security::LoggedInAs(context.config.kafka, role.user, *password);
  return security::CheckRole(config, role, resources);
}

void PrintChecks(const std::vector<RoleCheck>& checks, bool as_json) {
  TablePrinter table({"role", "principal", "resource", "operation", "table", "result", "remedy"});
  for (const RoleCheck& check : checks) {
    if (!check.acts.ok()) continue;
    for (const Act& act : *check.acts) {
      table.AddRow({check.role->name, check.role->principal(), TextOf(act.resource),
                    NameOf(act.operation), AllowedText(act.expected), ResultOf(act),
                    RemedyFor(act, *check.role)});
    }
  }
  table.Print(std::cout, as_json);
}

void TellResult(const RoleCheck& check) {
  if (!check.acts.ok()) {
    Log::Tell(LogLevel::kError, "role " + check.role->name + ": " + check.acts.status().message());
    return;
  }
  const int64_t differences = check.differences();
  const std::string tried = "role " + check.role->name + ": " +
                            Counted(static_cast<int64_t>(check.acts->size()), "act") + " of " +
                            check.role->principal() + ", ";
  if (differences == 0) {
    Log::Tell(LogLevel::kInfo, tried + "all as the table says");
  } else {
    Log::Tell(LogLevel::kError, tried + FormatCount(differences) + " not as the table says");
  }
}

Result<int> CheckSecurity(const Context& context, const SecurityFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto all, AllRoles(context, flags));
  ARROW_ASSIGN_OR_RAISE(const auto roles, security::Chosen(all, flags.roles));
  const auto resources = security::ResourcesOf(all, NamesOf(context));
  const security::Passwords passwords(flags.secrets);
  // The check of a role mostly waits for answers.
  std::vector<std::future<Result<std::vector<Act>>>> running;
  for (const Role& role : roles) {
    running.push_back(std::async(std::launch::async, [&context, &role, &passwords, &resources] {
      return Check(context, role, passwords, resources);
    }));
  }
  std::vector<RoleCheck> checks;
  for (size_t i = 0; i < roles.size(); ++i) checks.push_back({&roles[i], running[i].get()});
  PrintChecks(checks, context.json);
  for (const RoleCheck& check : checks) TellResult(check);
  const bool tried = std::ranges::all_of(checks, [](const auto& c) { return c.acts.ok(); });
  if (!tried) return kFailed;
  const bool equal = std::ranges::all_of(checks, [](const auto& c) { return !c.differences(); });
  return equal ? kDone : kDifferenceFound;
}

}  // namespace

Command SecurityCommand() {
  auto flags = std::make_shared<SecurityFlags>();
  const Option roles_file{.name = "--roles",
                          .target = &flags->roles_file,
                          .meaning = "The table of roles",
                          .value = "FILE [config/roles.yaml]"};
  const Option role{.name = "--role",
                    .target = &flags->roles,
                    .meaning = "Only this role; repeatable. Default: all",
                    .value = "ROLE"};
  const Option secrets{.name = "--secrets",
                       .target = &flags->secrets,
                       .meaning = "Folder with the passwords, one file USER.password each",
                       .value = "FOLDER [.shopstream/secrets]"};
  Command setup{"setup",
                "Create the users, their passwords and ACLs; a second run changes nothing",
                {secrets,
                 roles_file,
                 role,
                 {.name = "--set-passwords",
                  .target = &flags->setup.set_passwords,
                  .meaning = "Also give users that exist the passwords of the folder"},
                 {.name = "--dry-run",
                  .target = &flags->setup.dry_run,
                  .meaning = "Show what is missing; change nothing"}},
                Running(flags, SetUpSecurity)};
  Command show{
      "show", "Show what each role may do", {roles_file, role}, Running(flags, ShowSecurity)};
  Command check{"check",
                "Try what each role needs and what it must not do, as its user",
                {role, secrets, roles_file},
                Running(flags, CheckSecurity)};
  return {.name = "security",
          .meaning = "Kafka users with the least permissions",
          .commands = {std::move(setup), std::move(show), std::move(check)}};
}

}  // namespace shopstream::cli
