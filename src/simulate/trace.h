#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace shopstream::simulate {

// The events of a history, in order: kept as a fingerprint, and as text if requested.
class Trace {
 public:
  explicit Trace(bool keep_text = false) : keep_text_(keep_text) {}

  void Add(int64_t micros, std::string_view who, std::string_view what) {
    Mix(std::to_string(micros));
    Mix(who);
    Mix(what);
    if (!keep_text_) return;
    std::string time = std::to_string(micros);
    if (time.size() < 14) time.insert(0, 14 - time.size(), ' ');
    text_.append(time).append(" ").append(who).append(": ").append(what).append("\n");
  }
  // Counts an event that is reported by number: "lost reply".
  void Count(const std::string& event, int64_t times = 1) { counts_[event] += times; }

  bool keeps_text() const { return keep_text_; }
  uint64_t fingerprint() const { return fingerprint_; }
  const std::string& text() const { return text_; }
  const std::map<std::string, int64_t>& counts() const { return counts_; }

 private:
  // FNV-1a, with a terminator after each piece.
  void Mix(std::string_view piece) {
    for (const char c : piece) Mix(static_cast<uint8_t>(c));
    Mix(uint8_t{0xff});
  }
  void Mix(uint8_t byte) { fingerprint_ = (fingerprint_ ^ byte) * 0x100000001b3; }

  const bool keep_text_;
  uint64_t fingerprint_ = 0xcbf29ce484222325;
  std::string text_;
  std::map<std::string, int64_t> counts_;
};

}  // namespace shopstream::simulate
