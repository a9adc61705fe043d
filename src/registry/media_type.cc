#include "registry/media_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/format.h"

namespace shopstream::registry {
namespace {

// The first is preferred.
constexpr std::array<std::string_view, 3> kTypes = {"application/vnd.schemaregistry.v1+json",
                                                    "application/vnd.schemaregistry+json",
                                                    "application/json"};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

// "text/html;q=0.8" -> "text/html" and 0.8.
struct Wish {
  std::string type;
  double quality = 1;
};

Wish ParseWish(std::string_view text) {
  Wish wish;
  size_t end = std::min(text.find(';'), text.size());
  wish.type = ToLower(std::string(Trim(text.substr(0, end))));
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find(';'), text.size());
    const std::string_view parameter = Trim(text.substr(0, end));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), wish.quality);
    }
  }
  return wish;
}

bool Fits(const std::string& wish, std::string_view type) {
  return wish == type || wish == "*/*" || wish == "application/*";
}

}  // namespace

std::optional<std::string> ChooseMediaType(std::string_view accept) {
  if (Trim(accept).empty()) return std::string(kTypes.front());
  std::optional<std::string> chosen;
  double best = 0;
  while (!accept.empty()) {
    const size_t end = std::min(accept.find(','), accept.size());
    const Wish wish = ParseWish(accept.substr(0, end));
    accept.remove_prefix(std::min(end + 1, accept.size()));
    for (const std::string_view type : kTypes) {
      if (wish.quality <= best || !Fits(wish.type, type)) continue;
      best = wish.quality;
      chosen = type;
    }
  }
  return chosen;
}

bool TakesMediaType(std::string_view content_type) {
  const std::string type = ParseWish(content_type).type;
  return type.empty() || type == "application/octet-stream" ||
         std::ranges::find(kTypes, type) != kTypes.end();
}

}  // namespace shopstream::registry
