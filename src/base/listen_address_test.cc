#include "base/listen_address.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(ListenAddress, HostAndPort) {
  EXPECT_EQ("127.0.0.1", ParseListenAddress("127.0.0.1:8082")->host);
  EXPECT_EQ(8082, ParseListenAddress("127.0.0.1:8082")->port);
  EXPECT_EQ(0, ParseListenAddress("localhost:0")->port);
  EXPECT_EQ("::1", ParseListenAddress("[::1]:80")->host);
}

TEST(ListenAddress, AnythingElseIsRefused) {
  for (const char* text : {"", ":80", "8082", "host", "host:", "host:x", "host:70000", "host:-1",
                           "host:80x", "::1:80", "[::1:80"}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
}

TEST(ListenAddress, ThisMachineIsKnownByItsName) {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(IsThisMachine(host)) << host;
  }
  for (const char* host :
       {"", "broker-1.example.com", "10.0.0.7", "localhost.example.com", "12.7.0.1"}) {
    EXPECT_FALSE(IsThisMachine(host)) << host;
  }
}

}  // namespace
}  // namespace shopstream
