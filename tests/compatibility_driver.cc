// Judges each line "reader TAB writer" of its input: "yes", or "no" and the violated rules.
#include <iostream>
#include <string>

#include "avro/compatibility.h"

int main() {
  using namespace shopstream::avro;
  for (std::string line; std::getline(std::cin, line);) {
    const size_t tab = line.find('\t');
    const auto reader = Schema::Parse(line.substr(0, tab));
    const auto writer = Schema::Parse(line.substr(tab + 1));
    if (!reader.ok() || !writer.ok()) {
      std::cerr << line << "\n" << reader.status() << "\n" << writer.status() << "\n";
      return 1;
    }
    const auto broken = CheckCompatible(*reader, *writer);
    std::cout << (broken.empty() ? "yes" : "no");
    for (const Incompatibility& one : broken) std::cout << " " << Name(one.rule);
    std::cout << "\n";
  }
  return 0;
}
