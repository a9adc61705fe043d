#include "refine/fingerprint_uses.h"

#include "base/json.h"

namespace shopstream::refine {
namespace {

constexpr char kFingerprintsProperty[] = "shopstream.refine.fingerprints";
constexpr size_t kMostFingerprints = 100;

}  // namespace

Result<std::vector<FingerprintUse>> ReadFingerprintUses(const lake::Snapshot& rejects) {
  const std::string* text = lake::FindProperty(rejects, kFingerprintsProperty);
  std::vector<FingerprintUse> uses;
  if (text == nullptr) return uses;
  try {
    for (const nlohmann::json& use : ParseJsonOrThrow(*text)) {
      uses.push_back({use.at("fingerprint").get<std::string>(), use.at("pass").get<int64_t>()});
    }
  } catch (const nlohmann::json::exception& error) {
    return Status::Invalid("property ", kFingerprintsProperty, " is damaged: ", error.what());
  }
  return uses;
}

std::map<std::string, std::string> FingerprintProperty(std::vector<FingerprintUse> known,
                                                       const std::string& fingerprint,
                                                       int64_t pass) {
  if (!known.empty() && known.back().fingerprint == fingerprint) return {};
  known.push_back({fingerprint, pass});
  if (known.size() > kMostFingerprints) known.erase(known.begin());
  nlohmann::json list = nlohmann::json::array();
  for (const FingerprintUse& use : known) {
    list.push_back({{"fingerprint", use.fingerprint}, {"pass", use.first_pass}});
  }
  return {{kFingerprintsProperty, DumpJson(list)}};
}

}  // namespace shopstream::refine
