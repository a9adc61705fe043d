#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shopstream::kafka {

// What a broken connection shows, the most informative first.
enum class TroubleKind {
  kLogin,              // User name or password is wrong.
  kMechanism,          // The broker has no such SASL mechanism, or no login at all.
  kClientCertificate,  // The broker requires a certificate of ours.
  kUntrusted,          // The broker's certificate is not trusted.
  kNoTls,              // TLS was expected; the other side does not speak it.
  kNotKafka,           // The other side is not a Kafka broker.
  kHostUnknown,
  kNotConnected,  // Refused, or no route.
  kSilent,        // Connected or not, no answer came in time.
  kClosed,        // The other side closed the connection.
  kOther,
};

// Why a client cannot talk to a broker. librdkafka only logs it: a failed call has timed out, and
// does not know why.
struct Trouble {
  TroubleKind kind = TroubleKind::kOther;
  std::string address;  // host:port
  std::string reason;   // In our words.

  // No later attempt can succeed before somebody changes the settings or grants access.
  bool lasting() const { return kind <= TroubleKind::kNotKafka; }
};

// Reads a line of librdkafka's log; nothing: the line is not about a connection that failed.
std::optional<Trouble> ReadTrouble(std::string_view facility, std::string_view text);

// What to do about it: "correct kafka.bootstrap_servers".
std::string RemedyFor(const Trouble& trouble);

// What to do about a broker that refuses connections. Only this machine has `./run up`; others may
// run Kafka in any way.
std::string StartBroker(std::string_view host);

}  // namespace shopstream::kafka
