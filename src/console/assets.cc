#include "console/assets.h"

#include <arrow/util/base64.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>

#include "base/format.h"
#include "base/read_file.h"
#include "base/sha256.h"
#include "console/embedded_file.h"

namespace shopstream::console {
namespace {

constexpr std::string_view kFolder = "/assets/";
constexpr std::string_view kIndex = "index.html";
constexpr std::string_view kImportMap = "<script type=\"importmap\">";

// A worker is a page in this respect: its script's own policy applies.
constexpr char kPolicyOfFiles[] = "default-src 'self'; frame-ancestors 'none'";

struct ContentType {
  std::string_view ending, type;
};
constexpr ContentType kContentTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
    {".md", "text/markdown; charset=utf-8"},
    {".png", "image/png"},
    {".webmanifest", "application/manifest+json"},
};

std::string ContentTypeOf(std::string_view name) {
  for (const auto& [ending, type] : kContentTypes) {
    if (name.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

struct FoundFile {
  const EmbeddedFile* file = nullptr;
  bool by_hash = false;
};

FoundFile FindEmbedded(std::string_view name) {
  for (const EmbeddedFile& file : std::span(kEmbeddedFiles, kEmbeddedFileCount)) {
    if (!file.hashed.empty() && file.hashed == name) return {&file, true};
    if (file.name == name) return {&file, false};
  }
  return {};
}

bool Accepts(const HttpRequest& request, std::string_view coding) {
  return request.header("Accept-Encoding").find(coding) != std::string::npos;
}

// Weak, because the compressed forms share it.
std::string EntityTag(std::string_view content) {
  return fmt::format("W/\"{}\"", FormatHex(Sha256(content).substr(0, 8)));
}

HttpReply PageReply(std::string_view name, std::string body) {
  HttpReply reply{200, std::move(body), ContentTypeOf(name)};
  reply.headers.emplace_back("Content-Security-Policy",
                             name == kIndex ? ContentSecurityPolicy(reply.body) : kPolicyOfFiles);
  return reply;
}

HttpReply FromProgram(const FoundFile& found, const HttpRequest& request) {
  const EmbeddedFile& file = *found.file;
  HttpReply reply = PageReply(file.name, std::string(file.plain()));
  const std::string tag = EntityTag(file.plain());
  reply.headers.emplace_back("ETag", tag);
  reply.headers.emplace_back("Vary", "Accept-Encoding");
  reply.headers.emplace_back("Cache-Control",
                             found.by_hash ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.header("If-None-Match") == tag) {
    reply.status = 304;
    reply.body.clear();
    return reply;
  }
  if (Accepts(request, "br")) {
    reply.body = file.brotli();
    reply.headers.emplace_back("Content-Encoding", "br");
  } else if (Accepts(request, "gzip")) {
    reply.body = file.gzip();
    reply.headers.emplace_back("Content-Encoding", "gzip");
  }
  return reply;
}

// Names of files have these characters only, so that none leads out of the folder.
bool IsFileName(std::string_view name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
           c == '/';
  });
  return plain && !name.starts_with('/') && name.find("..") == std::string_view::npos;
}

}  // namespace

std::string_view EmbeddedText(std::string_view name) {
  const FoundFile found = FindEmbedded(name);
  return found.file == nullptr ? std::string_view() : found.file->plain();
}

std::string ContentSecurityPolicy(std::string_view page) {
  std::string scripts = "'self'";
  const size_t mark = page.find(kImportMap);
  if (mark != std::string_view::npos) {
    const size_t begin = mark + kImportMap.size();
    const std::string_view text = page.substr(begin, page.find("</script>", begin) - begin);
    scripts += fmt::format(" 'sha256-{}'", arrow::util::base64_encode(Sha256(text)));
  }
  return fmt::format(
      "default-src 'self'; script-src {}; object-src 'none'; base-uri 'none'; form-action 'self'; "
      "frame-ancestors 'none'",
      scripts);
}

std::optional<HttpReply> Assets::FromFolder(std::string_view name) const {
  if (folder_.empty() || !IsFileName(name)) return std::nullopt;
  Result<std::string> content = ReadFile(folder_ + "/" + std::string(name));
  if (!content.ok()) return std::nullopt;
  HttpReply reply = PageReply(name, *std::move(content));
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

HttpReply Assets::Serve(const HttpRequest& request) const {
  const std::string_view path = request.path;
  const bool is_file = path.starts_with(kFolder);
  const std::string_view name = is_file ? path.substr(kFolder.size()) : kIndex;
  if (auto reply = FromFolder(name)) return *std::move(reply);
  const FoundFile found = FindEmbedded(name);
  if (found.file != nullptr && (!is_file || name != kIndex)) return FromProgram(found, request);
  return {404, "The console has no file of this name.\n", "text/plain; charset=utf-8"};
}

}  // namespace shopstream::console
