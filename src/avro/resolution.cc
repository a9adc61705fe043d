#include "avro/resolution.h"

#include <algorithm>

namespace shopstream::avro {
namespace {

bool HasFullName(const Node& reader, const Node& writer) {
  return reader.name == writer.name ||
         std::ranges::find(reader.aliases, writer.name) != reader.aliases.end();
}

template <typename Fits>
const Node* FirstBranch(const Node& reader_union, Fits fits) {
  for (const Node* branch : reader_union.branches) {
    if (fits(*branch)) return branch;
  }
  return nullptr;
}

}  // namespace

bool ReadsAs(Kind writer, Kind reader) {
  if (writer == reader) return true;
  switch (reader) {
    case Kind::kLong:
      return writer == Kind::kInt;
    case Kind::kFloat:
      return writer == Kind::kInt || writer == Kind::kLong;
    case Kind::kDouble:
      return writer == Kind::kInt || writer == Kind::kLong || writer == Kind::kFloat;
    case Kind::kBytes:
      return writer == Kind::kString;
    case Kind::kString:
      return writer == Kind::kBytes;
    default:
      return false;
  }
}

bool NamedAlike(const Node& writer, const Node& reader) {
  return !reader.is_named() || ShortName(reader.name) == ShortName(writer.name) ||
         HasFullName(reader, writer);
}

const Node* BranchFor(const Node& writer, const Node& reader_union) {
  const Node* found = FirstBranch(reader_union, [&](const Node& branch) {
    return branch.kind == writer.kind && (!branch.is_named() || HasFullName(branch, writer));
  });
  if (found != nullptr) return found;
  found = FirstBranch(reader_union, [&](const Node& branch) {
    return branch.kind == writer.kind && NamedAlike(writer, branch);
  });
  if (found != nullptr) return found;
  return FirstBranch(reader_union, [&](const Node& branch) {
    return branch.kind != writer.kind && ReadsAs(writer.kind, branch.kind);
  });
}

}  // namespace shopstream::avro
