#include "kafka/trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream::kafka {
namespace {

using testing::HasSubstr;

struct Line {
  const char* text;
  TroubleKind kind;
  const char* address;
  const char* reason;
};

// Lines of librdkafka 2.15 and 2.16, against a secured Kafka 4.3.1.
constexpr Line kLines[] = {
    {"[thrd:sasl_ssl://127.0.0.1:19594/bootstrap]: sasl_ssl://127.0.0.1:19594/bootstrap: SASL "
     "authentication error: Authentication failed during authentication due to invalid credentials "
     "with SASL mechanism SCRAM-SHA-512 (after 350ms in state AUTH_REQ)",
     TroubleKind::kLogin, "127.0.0.1:19594", "user name or password is wrong"},
    {"[thrd:sasl_ssl://b:9594/bootstrap]: sasl_ssl://b:9594/bootstrap: SASL PLAIN mechanism "
     "handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: "
     "SCRAM-SHA-512 (after 9ms in state AUTH_HANDSHAKE)",
     TroubleKind::kMechanism, "b:9594", "it accepts a login by SCRAM-SHA-512 only"},
    {"[thrd:sasl_plaintext://b:9595/bootstrap]: sasl_plaintext://b:9595/bootstrap: SASL "
     "SCRAM-SHA-512 mechanism handshake failed: Broker: Request not valid in current SASL state: "
     "broker's supported mechanisms:  (after 9ms in state AUTH_HANDSHAKE)",
     TroubleKind::kMechanism, "b:9595", "it accepts no login on this listener"},
    {"[thrd:ssl://b:9581/bootstrap]: ssl://b:9581/bootstrap: Receive failed: error:0A000412:SSL "
     "routines::ssl/tls alert bad certificate: SSL alert number 42 (after 1ms in state "
     "APIVERSION_QUERY)",
     TroubleKind::kClientCertificate, "b:9581",
     "it requires a client certificate, or does not trust ours"},
    {"[thrd:sasl_ssl://b:9594/bootstrap]: sasl_ssl://b:9594/bootstrap: SSL handshake failed: "
     "error:0A000086:SSL routines::certificate verify failed: broker certificate could not be "
     "verified, verify that ssl.ca.location is correctly configured or root CA certificates are "
     "installed (install ca-certificates package) (after 8ms in state SSL_HANDSHAKE)",
     TroubleKind::kUntrusted, "b:9594",
     "its certificate is not trusted, or is for another host name"},
    {"[thrd:sasl_ssl://b:9595/bootstrap]: sasl_ssl://b:9595/bootstrap: SSL handshake failed: "
     "Disconnected: SSL connection closed by peer: connecting to a PLAINTEXT broker listener? "
     "(after 3ms in state SSL_HANDSHAKE)",
     TroubleKind::kNoTls, "b:9595", "it does not speak TLS"},
    {"[thrd:b:8082/bootstrap]: b:8082/bootstrap: Receive failed: Invalid response size 1213486160 "
     "(0..100000000): increase receive.message.max.bytes (after 1ms in state APIVERSION_QUERY)",
     TroubleKind::kNotKafka, "b:8082", "it answers in HTTP, so it is not a Kafka broker"},
    {"[thrd:nohost:9092/bootstrap]: nohost:9092/bootstrap: Failed to resolve 'nohost:9092': Name "
     "or service not known (after 5ms in state CONNECT)",
     TroubleKind::kHostUnknown, "nohost:9092", "the host name is not known"},
    {"[thrd:127.0.0.1:9092/1]: 127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection "
     "refused (after 0ms in state CONNECT, 3 identical error(s) suppressed)",
     TroubleKind::kNotConnected, "127.0.0.1:9092", "connection refused"},
    {"[thrd:b:9094/1]: b:9094/1: Connect to ipv4#10.0.0.7:9094 failed: Network is unreachable "
     "(after 0ms in state CONNECT)",
     TroubleKind::kNotConnected, "b:9094", "Network is unreachable"},
    {"[thrd:GroupCoordinator]: GroupCoordinator: 127.0.0.1:9095: Connect to ipv4#127.0.0.1:9095 "
     "failed: Connection refused (after 0ms in state CONNECT)",
     TroubleKind::kNotConnected, "127.0.0.1:9095", "connection refused"},
    {"[thrd:b:9594/bootstrap]: b:9594/bootstrap: Disconnected: connection closed by peer: receive "
     "0 after POLLIN (after 1ms in state APIVERSION_QUERY)",
     TroubleKind::kClosed, "b:9594", "it closes the connection"},
    {"[thrd:b:9594/1]: b:9594/1: SASL authentication error: SaslAuthenticateRequest failed: Local: "
     "Broker transport failure (after 0ms in state DOWN)",
     TroubleKind::kClosed, "b:9594", "it closes the connection"},
    {"[thrd:b:9594/bootstrap]: b:9594/bootstrap: Something new (after 1ms in state UP)",
     TroubleKind::kOther, "b:9594", "Something new"},
};

TEST(ReadTrouble, TheLibrarysLineBecomesAReasonAndARemedy) {
  for (const Line& line : kLines) {
    const auto trouble = ReadTrouble("FAIL", line.text);
    ASSERT_TRUE(trouble.has_value()) << line.text;
    EXPECT_EQ(line.kind, trouble->kind) << line.text;
    EXPECT_EQ(line.address, trouble->address) << line.text;
    EXPECT_EQ(line.reason, trouble->reason) << line.text;
    EXPECT_FALSE(RemedyFor(*trouble).empty()) << line.text;
  }
}

TEST(RemedyFor, ABrokerIsStartedWhereItRuns) {
  const auto remedy = [](const char* address) {
    return RemedyFor({TroubleKind::kNotConnected, address, ""});
  };
  EXPECT_NE(std::string::npos, remedy("127.0.0.1:9094").find("./run up"));
  EXPECT_NE(std::string::npos, remedy("[::1]:9094").find("./run up"));
  EXPECT_EQ(std::string::npos, remedy("kafka-1.example.com:9092").find("./run up"));
  EXPECT_NE(std::string::npos, remedy("kafka-1.example.com:9092").find("on kafka-1.example.com ("));
}

TEST(ReadTrouble, OtherLinesAreNone) {
  EXPECT_FALSE(ReadTrouble("ERROR", "[thrd:b:1/bootstrap]: 1/1 brokers are down"));
  EXPECT_FALSE(ReadTrouble("GETPID", "[thrd:main]: Failed to acquire idempotence PID"));
  EXPECT_FALSE(ReadTrouble("FAIL", ""));
  EXPECT_FALSE(ReadTrouble("FAIL", "[thrd:"));
}

TEST(ReadTrouble, OnlyWhatWaitingCannotCureLasts) {
  EXPECT_TRUE((Trouble{TroubleKind::kLogin, "", ""}).lasting());
  EXPECT_TRUE((Trouble{TroubleKind::kNotKafka, "", ""}).lasting());
  EXPECT_FALSE((Trouble{TroubleKind::kHostUnknown, "", ""}).lasting());
  EXPECT_FALSE((Trouble{TroubleKind::kClosed, "", ""}).lasting());
}

}  // namespace
}  // namespace shopstream::kafka
