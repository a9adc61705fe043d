#include "kafka/acl_admin.h"

#include <array>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "kafka/acl_codes.h"
#include "kafka/admin_calls.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using AclHandle = Handle<rd_kafka_AclBinding_t, &rd_kafka_AclBinding_destroy>;
using CredentialHandle = Handle<rd_kafka_UserScramCredentialAlteration_t,
                                &rd_kafka_UserScramCredentialAlteration_destroy>;

constexpr char kAnyHost[] = "*";
// Kafka's own tools use the same; RFC 7677 asks for 4096 at least.
constexpr int32_t kIterations = 8192;

Deed ToReadAcls(const std::string& principal) {
  return {"reading the ACLs of " + principal, "DESCRIBE on the cluster (ALTER includes it)"};
}

std::optional<Acl> Understand(const rd_kafka_AclBinding_t* binding) {
  const auto type = ResourceTypeOf(rd_kafka_AclBinding_restype(binding));
  const auto pattern = PatternTypeOf(rd_kafka_AclBinding_resource_pattern_type(binding));
  const auto operation = OperationOf(rd_kafka_AclBinding_operation(binding));
  const bool allows =
      rd_kafka_AclBinding_permission_type(binding) == RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW;
  if (!type || !pattern || !operation || !allows) return std::nullopt;
  if (std::string_view(rd_kafka_AclBinding_host(binding)) != kAnyHost) return std::nullopt;
  return Acl{rd_kafka_AclBinding_principal(binding),
             {*type, rd_kafka_AclBinding_name(binding)},
             *pattern,
             *operation};
}

// librdkafka calls the protocol's CLUSTER a broker.
const char* ResourceName(rd_kafka_ResourceType_t type) {
  return type == RD_KAFKA_RESOURCE_BROKER ? "CLUSTER" : rd_kafka_ResourceType_name(type);
}

AclBinding BindingOf(const rd_kafka_AclBinding_t* raw) {
  return {
      .principal = rd_kafka_AclBinding_principal(raw),
      .permission = rd_kafka_AclPermissionType_name(rd_kafka_AclBinding_permission_type(raw)),
      .operation = rd_kafka_AclOperation_name(rd_kafka_AclBinding_operation(raw)),
      .resource = ResourceName(rd_kafka_AclBinding_restype(raw)),
      .name = rd_kafka_AclBinding_name(raw),
      .pattern = rd_kafka_ResourcePatternType_name(rd_kafka_AclBinding_resource_pattern_type(raw)),
      .host = rd_kafka_AclBinding_host(raw)};
}

// Whether CreateBindings can make it again: librdkafka maps what it does not know to UNKNOWN.
bool IsUnderstood(const rd_kafka_AclBinding_t* raw) {
  return rd_kafka_AclBinding_restype(raw) != RD_KAFKA_RESOURCE_UNKNOWN &&
         rd_kafka_AclBinding_resource_pattern_type(raw) != RD_KAFKA_RESOURCE_PATTERN_UNKNOWN &&
         rd_kafka_AclBinding_operation(raw) != RD_KAFKA_ACL_OPERATION_UNKNOWN &&
         rd_kafka_AclBinding_permission_type(raw) != RD_KAFKA_ACL_PERMISSION_TYPE_UNKNOWN;
}

// 0, which no binding may have: there is no such name.
template <typename Code>
Code CodeNamed(const char* (*name_of)(Code), Code end, const std::string& name) {
  for (int i = 1; i < static_cast<int>(end); ++i) {
    const auto code = static_cast<Code>(i);
    if (name == name_of(code)) return code;
  }
  return static_cast<Code>(0);
}

// Asked first, because librdkafka without scripts/patches crashes if the brokers refuse to list
// users, and answers that there are none if they refuse to list ACLs.
Status CheckMayAdminister(AdminCalls* calls) {
  const Deed what{"administering users and ACLs", "ALTER on the cluster"};
  ARROW_ASSIGN_OR_RAISE(
      const EventHandle event,
      calls->Call(RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, kClientsChoice, what,
                  [&](const auto* options, auto* queue) {
                    const ErrorHandle error(rd_kafka_AdminOptions_set_include_authorized_operations(
                        const_cast<rd_kafka_AdminOptions_t*>(options), 1));
                    rd_kafka_DescribeCluster(calls->client(), options, queue);
                  }));
  size_t count = 0;
  const auto* allowed = rd_kafka_DescribeCluster_result_authorized_operations(
      rd_kafka_event_DescribeCluster_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    if (allowed[i] == RD_KAFKA_ACL_OPERATION_ALTER) return Status::OK();
  }
  return calls->Failure(what, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
}

}  // namespace

struct AclAdmin::Impl {
  AdminCalls calls;
};

AclAdmin::AclAdmin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AclAdmin::~AclAdmin() = default;

Result<std::unique_ptr<AclAdmin>> AclAdmin::Open(const KafkaConfig& config, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(AdminCalls calls, AdminCalls::Open(config, timeout));
  ARROW_RETURN_NOT_OK(CheckMayAdminister(&calls));
  return std::unique_ptr<AclAdmin>(new AclAdmin(std::make_unique<Impl>(Impl{std::move(calls)})));
}

Result<std::set<Acl>> AclAdmin::AclsOf(const std::string& principal) {
  const Deed what = ToReadAcls(principal);
  std::array<char, 256> reason{};
  const AclHandle filter(rd_kafka_AclBindingFilter_new(
      RD_KAFKA_RESOURCE_ANY, nullptr, RD_KAFKA_RESOURCE_PATTERN_ANY, principal.c_str(), nullptr,
      RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, reason.data(), reason.size()));
  if (filter == nullptr) return Status::Invalid(what.what, ": ", reason.data());
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBEACLS, kClientsChoice, what,
                                          [&](const auto* options, auto* queue) {
                                            rd_kafka_DescribeAcls(impl_->calls.client(),
                                                                  filter.get(), options, queue);
                                          }));
  size_t count = 0;
  const auto** bindings =
      rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event.get()), &count);
  std::set<Acl> acls;
  for (size_t i = 0; i < count; ++i) {
    if (auto acl = Understand(bindings[i])) acls.insert(*std::move(acl));
  }
  return acls;
}

Status AclAdmin::Create(const std::vector<Acl>& acls) {
  std::vector<AclHandle> bindings;
  std::vector<rd_kafka_AclBinding_t*> raw;
  std::vector<std::string> texts;
  for (const Acl& acl : acls) {
    std::array<char, 256> reason{};
    bindings.emplace_back(rd_kafka_AclBinding_new(
        CodeOf(acl.resource.type), acl.resource.name.c_str(), CodeOf(acl.pattern),
        acl.principal.c_str(), kAnyHost, CodeOf(acl.operation), RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
        reason.data(), reason.size()));
    texts.push_back(TextOf(acl));
    if (bindings.back() == nullptr) return Status::Invalid(texts.back(), ": ", reason.data());
    raw.push_back(bindings.back().get());
  }
  return CreateRaw(std::move(raw), texts);
}

Status AclAdmin::CreateRaw(std::vector<rd_kafka_AclBinding_t*> raw,
                           const std::vector<std::string>& texts) {
  if (raw.empty()) return Status::OK();
  const std::string needs = "ALTER on the cluster";
  ARROW_ASSIGN_OR_RAISE(
      const EventHandle event,
      impl_->calls.Call(RD_KAFKA_ADMIN_OP_CREATEACLS, kClientsChoice, {"creating ACLs", needs},
                        [&](const auto* options, auto* queue) {
                          rd_kafka_CreateAcls(impl_->calls.client(), raw.data(), raw.size(),
                                              options, queue);
                        }));
  size_t count = 0;
  const auto** results =
      rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event.get()), &count);
  for (size_t i = 0; i < count && i < texts.size(); ++i) {
    if (const auto* error = rd_kafka_acl_result_error(results[i])) {
      return impl_->calls.Failure({"creating the ACL " + texts[i], needs},
                                  rd_kafka_error_code(error), rd_kafka_error_string(error));
    }
  }
  return Status::OK();
}

std::string TextOf(const AclBinding& binding) {
  return binding.permission + " " + binding.principal + " " + binding.operation + " on " +
         binding.resource + " " + binding.name + " (" + binding.pattern + ") from " + binding.host;
}

Result<std::optional<std::set<AclBinding>>> AclAdmin::AllAcls() {
  const Deed what{"reading the ACLs", "DESCRIBE on the cluster (ALTER includes it)"};
  std::array<char, 256> reason{};
  const AclHandle filter(rd_kafka_AclBindingFilter_new(
      RD_KAFKA_RESOURCE_ANY, nullptr, RD_KAFKA_RESOURCE_PATTERN_ANY, nullptr, nullptr,
      RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, reason.data(), reason.size()));
  if (filter == nullptr) return Status::Invalid(what.what, ": ", reason.data());
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        impl_->calls.Call(
                            RD_KAFKA_ADMIN_OP_DESCRIBEACLS, kClientsChoice, what,
                            [&](const auto* options, auto* queue) {
                              rd_kafka_DescribeAcls(impl_->calls.client(), filter.get(), options,
                                                    queue);
                            },
                            RD_KAFKA_RESP_ERR_SECURITY_DISABLED));
  if (rd_kafka_event_error(event.get())) return std::nullopt;
  size_t count = 0;
  const auto** found =
      rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event.get()), &count);
  std::set<AclBinding> acls;
  int64_t not_understood = 0;
  for (size_t i = 0; i < count; ++i) {
    if (IsUnderstood(found[i])) {
      acls.insert(BindingOf(found[i]));
    } else {
      ++not_understood;
    }
  }
  if (not_understood > 0) {
    Log::Warn(
        "{} left out: the client does not know the type of resource, such as DELEGATION_TOKEN or "
        "USER, or the operation. `kafka-acls.sh --list` shows all",
        Counted(not_understood, "ACL"));
  }
  return acls;
}

Status AclAdmin::CreateBindings(const std::vector<AclBinding>& bindings) {
  std::vector<AclHandle> handles;
  std::vector<rd_kafka_AclBinding_t*> raw;
  std::vector<std::string> texts;
  for (const AclBinding& binding : bindings) {
    texts.push_back(TextOf(binding));
    std::array<char, 256> reason{};
    handles.emplace_back(rd_kafka_AclBinding_new(
        CodeNamed(ResourceName, RD_KAFKA_RESOURCE__CNT, binding.resource), binding.name.c_str(),
        CodeNamed(rd_kafka_ResourcePatternType_name, RD_KAFKA_RESOURCE_PATTERN_TYPE__CNT,
                  binding.pattern),
        binding.principal.c_str(), binding.host.c_str(),
        CodeNamed(rd_kafka_AclOperation_name, RD_KAFKA_ACL_OPERATION__CNT, binding.operation),
        CodeNamed(rd_kafka_AclPermissionType_name, RD_KAFKA_ACL_PERMISSION_TYPE__CNT,
                  binding.permission),
        reason.data(), reason.size()));
    if (handles.back() == nullptr) {
      return Status::Invalid("the ACL ", texts.back(), " is not understood: ", reason.data());
    }
    raw.push_back(handles.back().get());
  }
  return CreateRaw(std::move(raw), texts);
}

Result<std::set<std::string>> AclAdmin::UsersAmong(const std::vector<std::string>& names) {
  std::set<std::string> users;
  if (names.empty()) return users;  // The brokers would list all.
  std::vector<const char*> raw;
  for (const std::string& name : names) raw.push_back(name.c_str());
  const Deed what{"reading the users", "DESCRIBE on the cluster (ALTER includes it)"};
  ARROW_ASSIGN_OR_RAISE(
      const EventHandle event,
      impl_->calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBEUSERSCRAMCREDENTIALS, kClientsChoice, what,
                        [&](const auto* options, auto* queue) {
                          rd_kafka_DescribeUserScramCredentials(impl_->calls.client(), raw.data(),
                                                                raw.size(), options, queue);
                        }));
  size_t count = 0;
  const auto** described = rd_kafka_DescribeUserScramCredentials_result_descriptions(
      rd_kafka_event_DescribeUserScramCredentials_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_UserScramCredentialsDescription_user(described[i]);
    const auto* error = rd_kafka_UserScramCredentialsDescription_error(described[i]);
    const auto code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_RESOURCE_NOT_FOUND) continue;
    if (code) {
      return impl_->calls.Failure({"reading user " + name, what.needs}, code,
                                  rd_kafka_error_string(error));
    }
    const size_t credentials =
        rd_kafka_UserScramCredentialsDescription_scramcredentialinfo_count(described[i]);
    for (size_t c = 0; c < credentials; ++c) {
      const auto* one =
          rd_kafka_UserScramCredentialsDescription_scramcredentialinfo(described[i], c);
      if (rd_kafka_ScramCredentialInfo_mechanism(one) == RD_KAFKA_SCRAM_MECHANISM_SHA_512) {
        users.insert(name);
      }
    }
  }
  return users;
}

Status AclAdmin::SetPassword(const std::string& user, const std::string& password) {
  const Deed what{"setting the password of user " + user, "ALTER on the cluster"};
  const CredentialHandle credential(rd_kafka_UserScramCredentialUpsertion_new(
      user.c_str(), RD_KAFKA_SCRAM_MECHANISM_SHA_512, kIterations,
      reinterpret_cast<const unsigned char*>(password.data()), password.size(), nullptr, 0));
  rd_kafka_UserScramCredentialAlteration_t* raw[] = {credential.get()};
  ARROW_ASSIGN_OR_RAISE(
      const EventHandle event,
      impl_->calls.Call(RD_KAFKA_ADMIN_OP_ALTERUSERSCRAMCREDENTIALS, kClientsChoice, what,
                        [&](const auto* options, auto* queue) {
                          rd_kafka_AlterUserScramCredentials(impl_->calls.client(), raw, 1, options,
                                                             queue);
                        }));
  size_t count = 0;
  const auto** responses = rd_kafka_AlterUserScramCredentials_result_responses(
      rd_kafka_event_AlterUserScramCredentials_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto* error = rd_kafka_AlterUserScramCredentials_result_response_error(responses[i]);
    if (error != nullptr && rd_kafka_error_code(error)) {
      return impl_->calls.Failure(what, rd_kafka_error_code(error), rd_kafka_error_string(error));
    }
  }
  return Status::OK();
}

}  // namespace shopstream::kafka
