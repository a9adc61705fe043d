#include "base/tcp_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/http_server.h"

namespace shopstream {
namespace {

TEST(TcpProbe, TellsAListenerFromAClosedPort) {
  HttpServer server({.listen = "127.0.0.1:0"});
  ASSERT_TRUE(server.Start().ok());
  const int port = server.port();
  EXPECT_TRUE(ProbeTcp("127.0.0.1", port, Millis{2000}).ok());
  server.Stop();
  const Status closed = ProbeTcp("127.0.0.1", port, Millis{2000});
  EXPECT_TRUE(closed.IsIOError());
  EXPECT_THAT(closed.message(), testing::HasSubstr("127.0.0.1:" + std::to_string(port)));
}

}  // namespace
}  // namespace shopstream
