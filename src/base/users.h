#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream {

enum class Role { kReader, kWriter };

// The users of the registry or the console, for HTTP basic authentication. A file of lines
//
//   name:hash:reader|writer        # comment
//
// with hashes in the format of crypt(3) (`mkpasswd -m bcrypt`, `openssl passwd -6`). Thread-safe.
//
// A file that is replaced or rewritten is in force from the next request on. If it is damaged, a
// warning is logged and the users from before remain.
class Users {
 public:
  Users();  // None: no authentication.
  ~Users();
  Users(Users&&) noexcept;
  Users& operator=(Users&&) noexcept;

  // Invalid names the line and its fault. `setting`: that named the file, for messages.
  static Result<Users> Read(const std::string& path, const std::string& setting);
  static Result<Users> Parse(std::string_view text);

  // Guesses must not occupy all threads of a server.
  static constexpr int kMostWaiting = 4;

  bool anyone() const { return impl_ == nullptr; }
  // The role of "Basic <base64 of name:password>"; nothing: no such user or password. Takes the
  // same time for an unknown name as for a wrong password; a password that was correct once is
  // verified fast from then on. Unavailable: kMostWaiting others wait for their verification.
  Result<std::optional<Role>> Authenticate(std::string_view authorization) const;
  // Identifies a user's line in the file: another one after the password or the role changed, empty
  // if there is no such user. It reveals nothing about the password.
  std::string Stamp(const std::string& name) const;
  // The name in such a text, whether or not there is such a user; empty if it has another form.
  static std::string NameIn(std::string_view authorization);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream
