#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http_message.h"

namespace shopstream::console {

// Serves the page application: its files are in the program. Any address that is not a file's gets
// index.html, because the page itself makes sense of it.
class Assets {
 public:
  // `folder`: serve these files instead of the program's, read for each request, to develop the
  // page. Empty: the program's.
  explicit Assets(std::string folder = "") : folder_(std::move(folder)) {}

  // A GET of any address outside /api.
  HttpReply Serve(const HttpRequest& request) const;

 private:
  std::optional<HttpReply> FromFolder(std::string_view name) const;

  const std::string folder_;
};

// A file of the program by its name, such as "vendor/licences.json"; empty: there is none.
std::string_view EmbeddedText(std::string_view name);

// The value of Content-Security-Policy for a page with these inline scripts: its import map.
std::string ContentSecurityPolicy(std::string_view page);

}  // namespace shopstream::console
