#include "kafka/trouble.h"

#include <array>
#include <utility>

#include "base/listen_address.h"

namespace shopstream::kafka {
namespace {

// "[thrd:ssl://10.0.0.7:9094/bootstrap]: " is not part of the message.
std::string_view WithoutThread(std::string_view text) {
  if (!text.starts_with("[thrd:")) return text;
  const size_t end = text.find("]: ");
  return end == std::string_view::npos ? text : text.substr(end + 3);
}

// Takes "name: " off the front of `text`; empty if there is none.
std::string_view TakeName(std::string_view* text) {
  const size_t end = text->find(": ");
  if (end == std::string_view::npos) return {};
  const std::string_view name = text->substr(0, end);
  text->remove_prefix(end + 2);
  return name;
}

// "ssl://10.0.0.7:9094/bootstrap" -> "10.0.0.7:9094"; empty if it is not an address.
std::string_view AddressIn(std::string_view name) {
  if (const size_t scheme = name.find("://"); scheme != std::string_view::npos) {
    name.remove_prefix(scheme + 3);
  }
  name = name.substr(0, name.find('/'));
  const bool is_address =
      name.find(':') != std::string_view::npos && name.find(' ') == std::string_view::npos;
  return is_address ? name : std::string_view();
}

// Up to " (after 3ms in state CONNECT, ...)".
std::string_view WithoutState(std::string_view reason) {
  const size_t state = reason.rfind(" (after ");
  return state == std::string_view::npos ? reason : reason.substr(0, state);
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What follows the last ": ".
std::string_view LastPart(std::string_view text) {
  const size_t colon = text.rfind(": ");
  return colon == std::string_view::npos ? text : text.substr(colon + 2);
}

std::string HostOf(const std::string& address) {
  const auto parsed = ParseListenAddress(address);
  return parsed.ok() ? parsed->host : address;
}

std::string MechanismReason(std::string_view reason) {
  constexpr std::string_view kSupported = "supported mechanisms:";
  const size_t at = reason.find(kSupported);
  std::string_view offered = at == std::string_view::npos ? "" : reason.substr(at);
  if (!offered.empty()) offered.remove_prefix(kSupported.size());
  while (offered.starts_with(' ')) offered.remove_prefix(1);
  if (offered.empty()) return "it accepts no login on this listener";
  return "it accepts a login by " + std::string(offered) + " only";
}

struct Pattern {
  std::string_view part;  // Of librdkafka's reason.
  TroubleKind kind;
  std::string_view words;  // Empty: librdkafka's.
};

// The first that occurs counts.
constexpr std::array kPatterns = {
    Pattern{"Local: Broker transport failure", TroubleKind::kClosed, "it closes the connection"},
    Pattern{"invalid credentials", TroubleKind::kLogin, "user name or password is wrong"},
    Pattern{"SASL authentication error", TroubleKind::kLogin, ""},
    Pattern{"mechanism handshake failed", TroubleKind::kMechanism, ""},
    Pattern{"alert bad certificate", TroubleKind::kClientCertificate,
            "it requires a client certificate, or does not trust ours"},
    Pattern{"alert certificate required", TroubleKind::kClientCertificate,
            "it requires a client certificate"},
    Pattern{"alert unknown ca", TroubleKind::kClientCertificate,
            "it does not trust our client certificate"},
    Pattern{"certificate verify failed", TroubleKind::kUntrusted,
            "its certificate is not trusted, or is for another host name"},
    Pattern{"connecting to a PLAINTEXT broker listener", TroubleKind::kNoTls,
            "it does not speak TLS"},
    Pattern{"wrong version number", TroubleKind::kNoTls, "it does not speak TLS"},
    Pattern{"Invalid response size 1213486160", TroubleKind::kNotKafka,
            "it answers in HTTP, so it is not a Kafka broker"},
    Pattern{"Invalid response size", TroubleKind::kNotKafka,
            "its answer is not Kafka's: it expects TLS, or is not a Kafka broker"},
    Pattern{"Failed to resolve", TroubleKind::kHostUnknown, "the host name is not known"},
    Pattern{"Connection refused", TroubleKind::kNotConnected, "connection refused"},
    Pattern{"setup timed out", TroubleKind::kSilent, "no answer while connecting"},
    Pattern{"timed out", TroubleKind::kSilent, "no answer"},
    Pattern{"Connect to ", TroubleKind::kNotConnected, ""},
    Pattern{"connection closed by peer", TroubleKind::kClosed, "it closes the connection"},
    Pattern{"Connection reset", TroubleKind::kClosed, "it closes the connection"},
};

Trouble Classify(std::string_view address, std::string_view reason) {
  Trouble trouble{TroubleKind::kOther, std::string(address), std::string(reason)};
  for (const Pattern& pattern : kPatterns) {
    if (!Has(reason, pattern.part)) continue;
    trouble.kind = pattern.kind;
    if (!pattern.words.empty()) {
      trouble.reason = pattern.words;
    } else if (pattern.kind == TroubleKind::kMechanism) {
      trouble.reason = MechanismReason(reason);
    } else {
      trouble.reason = LastPart(reason);
    }
    break;
  }
  return trouble;
}

}  // namespace

std::string StartBroker(std::string_view host) {
  if (host.empty() || IsThisMachine(host)) {
    return "start the broker (the local cluster: `./run up`), or correct kafka.bootstrap_servers";
  }
  return "start Kafka on " + std::string(host) +
         " (its service or container) and see its log there, allow this host through the "
         "firewall, or correct kafka.bootstrap_servers";
}

std::optional<Trouble> ReadTrouble(std::string_view facility, std::string_view text) {
  if (facility != "FAIL" && facility != "ERROR") return std::nullopt;
  std::string_view rest = WithoutThread(text);
  std::string_view address = AddressIn(TakeName(&rest));
  // "GroupCoordinator: 10.0.0.7:9094: ..." has two names.
  if (address.empty()) address = AddressIn(TakeName(&rest));
  if (address.empty()) return std::nullopt;
  return Classify(address, WithoutState(rest));
}

std::string RemedyFor(const Trouble& trouble) {
  switch (trouble.kind) {
    case TroubleKind::kLogin:
      return "correct kafka.security.sasl.username and its password "
             "(SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD)";
    case TroubleKind::kMechanism:
      return "set kafka.security.sasl.mechanism to one that it accepts, and "
             "kafka.security.security.protocol to the listener's";
    case TroubleKind::kClientCertificate:
      return "set kafka.security.ssl.certificate.location and kafka.security.ssl.key.location";
    case TroubleKind::kUntrusted:
      return "set kafka.security.ssl.ca.location to the PEM file of the CA that signed it, and "
             "name the host in kafka.bootstrap_servers as the certificate does";
    case TroubleKind::kNoTls:
      return "correct kafka.security.security.protocol, or the port in kafka.bootstrap_servers";
    case TroubleKind::kNotKafka:
      return "correct kafka.bootstrap_servers or kafka.security.security.protocol";
    case TroubleKind::kHostUnknown:
      return "correct kafka.bootstrap_servers, or the network's name service";
    case TroubleKind::kNotConnected:
      return StartBroker(HostOf(trouble.address));
    case TroubleKind::kClosed:
      return "set kafka.security.security.protocol if it expects TLS or a login (SSL, SASL_SSL); "
             "otherwise see the broker's log";
    case TroubleKind::kSilent:
    case TroubleKind::kOther:
      return "check kafka.bootstrap_servers, the network and the broker's log";
  }
  return "see the broker's log";
}

}  // namespace shopstream::kafka
