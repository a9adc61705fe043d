#include "console/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <map>
#include <thread>

#include "base/error_kind.h"
#include "base/json.h"
#include "console/temporary_folder_testing.h"

namespace shopstream::console {
namespace {

using testing::HasSubstr;

constexpr char kToken[] = "0123456789abcdef0123456789abcdef";
// `openssl passwd -5 -salt saltsalt secret`: fast enough for tests.
constexpr char kUsers[] =
    "reader:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA:reader\n"
    "writer:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA:writer\n";

using Headers = std::map<std::string, std::string>;

HttpRequest Head(const std::string& method, const std::string& path, const Headers& headers) {
  HttpRequest head;
  head.method = method;
  head.path = head.raw_path = path;
  Headers all = {{"Host", "localhost:8080"}};
  for (const auto& [name, value] : headers) all[name] = value;
  if (method == "POST") head.content_type = "application/json";
  head.header = [all](const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? std::string() : found->second;
  };
  return head;
}

class GateTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const auto path = folder_.path() / name;
    std::ofstream(path) << text;
    return path;
  }
  Gate& Open(const ConsoleConfig& config) {
    auto gate = Gate::Open(config);
    EXPECT_TRUE(gate.ok()) << gate.status().message();
    gate_ = *std::move(gate);
    return *gate_;
  }
  // The status of the refusal; 0: let in.
  static int Refusal(Gate& gate, const HttpRequest& head) {
    const auto reply = gate.Check(head);
    return reply ? reply->status : 0;
  }
  // Another file under the same name, as orchestrators do.
  void Replace(const std::string& name, const std::string& text) {
    std::filesystem::rename(Write(name + ".new", text), folder_.path() / name);
  }
  ConsoleConfig WithToken() {
    ConsoleConfig config;
    config.allow_changes = true;
    config.token_file = Write("token", std::string(kToken) + "\n");
    return config;
  }
  ConsoleConfig WithUsers() {
    ConsoleConfig config;
    config.allow_changes = true;
    config.users = Write("users", kUsers);
    return config;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, ADomainOfAnAttackerIsNoHost) {
  ConsoleConfig config;
  config.hosts = {"console.example.com"};
  Gate& gate = Open(config);
  for (const char* host : {"localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080",
                           "LOCALHOST", "console.example.com", "console.example.com:443"}) {
    EXPECT_EQ(Refusal(gate, Head("GET", "/", {{"Host", host}})), 0) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "10.0.0.7", "console.example.com.evil.example"}) {
    EXPECT_EQ(Refusal(gate, Head("GET", "/", {{"Host", host}})), 421) << host;
    EXPECT_EQ(Refusal(gate, Head("GET", "/api/overview", {{"Host", host}})), 421) << host;
  }
  EXPECT_EQ(Refusal(gate, Head("GET", "/livez", {{"Host", "10.0.0.7"}})), 0);
}

TEST_F(GateTest, OnAllAddressesAnyAddressIsAHost) {
  ConsoleConfig config;
  config.listen = "0.0.0.0:8080";
  Gate& gate = Open(config);
  EXPECT_EQ(Refusal(gate, Head("GET", "/", {{"Host", "10.0.0.7:8080"}})), 0);
  EXPECT_EQ(Refusal(gate, Head("GET", "/", {{"Host", "[fe80::1]:8080"}})), 0);
  EXPECT_EQ(Refusal(gate, Head("GET", "/", {{"Host", "evil.example"}})), 421);
}

TEST_F(GateTest, AnotherSiteGetsNothingFromTheApi) {
  Gate& gate = Open({});
  for (const char* method : {"GET", "POST"}) {
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Sec-Fetch-Site", "cross-site"}})), 403);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Sec-Fetch-Site", "same-site"}})), 403);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Origin", "https://evil.example"}})), 403);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Origin", "http://localhost:9999"}})), 403);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Origin", "null"}})), 403);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Origin", "http://localhost:8080"}})), 0);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {{"Sec-Fetch-Site", "same-origin"}})), 0);
    EXPECT_EQ(Refusal(gate, Head(method, "/api/x", {})), 0);
  }
  // A link from elsewhere opens the page.
  EXPECT_EQ(Refusal(gate, Head("GET", "/kafka", {{"Sec-Fetch-Site", "cross-site"}})), 0);
}

TEST_F(GateTest, AFormIsNoJson) {
  Gate& gate = Open({});
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded"}) {
    HttpRequest head = Head("POST", "/api/x", {});
    head.content_type = type;
    EXPECT_EQ(Refusal(gate, head), 415) << type;
  }
}

TEST_F(GateTest, NoPathLeadsOut) {
  Gate& gate = Open({});
  EXPECT_EQ(Refusal(gate, Head("GET", "/assets/../../etc/passwd", {})), 400);
  EXPECT_EQ(Refusal(gate, Head("GET", "/assets/..", {})), 400);
  EXPECT_EQ(Refusal(gate, Head("GET", "/assets/..\\x", {})), 400);
  EXPECT_EQ(Refusal(gate, Head("GET", std::string("/a\0b", 4), {})), 400);
}

TEST_F(GateTest, APathHasOneSpelling) {
  Gate& gate = Open(WithUsers());
  for (const char* path : {"//api/overview", "/api//overview", "/api/overview/", "//metrics",
                           "/metrics/", "api/about", "http://localhost/api/about", "", "//", "*"}) {
    EXPECT_EQ(Refusal(gate, Head("GET", path, {})), 400) << path;
  }
  HttpRequest encoded = Head("GET", "/api/overview", {});
  encoded.raw_path = "/%61pi/overview";
  EXPECT_EQ(Refusal(gate, encoded), 401);
  EXPECT_EQ(Refusal(gate, Head("GET", "/api/session/other", {})), 401);
  EXPECT_EQ(Refusal(gate, Head("GET", "/kafka/a%2F%2Fb", {})), 0);
}

TEST_F(GateTest, ByDefaultNobodyMayChangeAnything) {
  Gate& gate = Open({});
  const Status refused = gate.MayChange(gate.Identify(Head("POST", "/api/x", {})));
  EXPECT_EQ(KindOf(refused), ErrorKind::kRefused);
  EXPECT_THAT(refused.message(), HasSubstr("console.allow_changes"));
}

TEST_F(GateTest, TheTokenPermitsChanges) {
  Gate& gate = Open(WithToken());
  const auto may = [&](const Headers& headers) {
    return gate.MayChange(gate.Identify(Head("POST", "/api/x", headers))).ok();
  };
  EXPECT_TRUE(may({{"Authorization", std::string("Bearer ") + kToken}}));
  EXPECT_FALSE(may({}));
  EXPECT_FALSE(may({{"Authorization", "Bearer "}}));
  EXPECT_FALSE(may({{"Authorization", "Bearer 0123456789abcdef0123456789abcdeX"}}));
  EXPECT_FALSE(may({{"Cookie", "shopstream_session=0123456789abcdef0123456789abcdef"}}));
}

TEST_F(GateTest, ABrowserExchangesTheTokenForACookie) {
  Gate& gate = Open(WithToken());
  Caller caller;
  const auto cookie = gate.SignIn({{"token", kToken}}, &caller);
  ASSERT_TRUE(cookie.ok()) << cookie.status().message();
  EXPECT_THAT(*cookie, HasSubstr("; HttpOnly; SameSite=Strict"));
  EXPECT_EQ(cookie->find(kToken), std::string::npos);
  const std::string sent = cookie->substr(0, cookie->find(';'));
  const HttpRequest request = Head("POST", "/api/x", {{"Cookie", "other=1; " + sent}});
  EXPECT_TRUE(gate.MayChange(gate.Identify(request)).ok());
  gate.SignOut(request);
  EXPECT_FALSE(gate.MayChange(gate.Identify(request)).ok());
  EXPECT_EQ(KindOf(gate.SignIn({{"token", "wrong"}}, &caller).status()), ErrorKind::kRefused);
  EXPECT_EQ(KindOf(gate.SignIn({{"other", 1}}, &caller).status()), ErrorKind::kInvalid);
}

TEST_F(GateTest, AReaderSeesAndAWriterChanges) {
  Gate& gate = Open(WithUsers());
  const auto sign_in = [&](const std::string& user, const std::string& password) {
    Caller caller;
    const auto cookie = gate.SignIn({{"user", user}, {"password", password}}, &caller);
    return cookie.ok() ? cookie->substr(0, cookie->find(';')) : "";
  };
  EXPECT_EQ(Refusal(gate, Head("GET", "/api/overview", {})), 401);
  EXPECT_EQ(Refusal(gate, Head("GET", "/metrics", {})), 401);
  EXPECT_EQ(Refusal(gate, Head("GET", "/", {})), 0);
  EXPECT_EQ(Refusal(gate, Head("POST", "/api/session", {})), 0);
  EXPECT_EQ(sign_in("reader", "wrong"), "");
  EXPECT_EQ(sign_in("nobody", "secret"), "");
  const HttpRequest reader = Head("POST", "/api/x", {{"Cookie", sign_in("reader", "secret")}});
  const HttpRequest writer = Head("POST", "/api/x", {{"Cookie", sign_in("writer", "secret")}});
  EXPECT_EQ(Refusal(gate, reader), 0);
  const auto permission = gate.Permission(reader);
  EXPECT_TRUE(permission());
  EXPECT_THAT(gate.MayChange(gate.Identify(reader)).message(), HasSubstr("role reader"));
  EXPECT_EQ(gate.Identify(writer), (Caller{"writer", true}));
  EXPECT_TRUE(gate.MayChange(gate.Identify(writer)).ok());
  gate.SignOut(reader);
  EXPECT_FALSE(permission());
}

TEST_F(GateTest, LongCredentialsAreRefusedAndNotRecorded) {
  Gate& gate = Open(WithUsers());
  const std::string text(257, 'x');
  Caller caller;
  for (const nlohmann::json& body :
       {nlohmann::json{{"user", text}, {"password", "secret"}},
        nlohmann::json{{"user", "writer"}, {"password", text}}, nlohmann::json{{"token", text}}}) {
    EXPECT_EQ(KindOf(gate.SignIn(body, &caller).status()), ErrorKind::kInvalid);
    EXPECT_EQ(caller.who, "");
  }
}

TEST_F(GateTest, RefusesSettingsThatLetAnybodyChange) {
  ConsoleConfig config;
  config.allow_changes = true;
  EXPECT_THAT(Gate::Open(config).status().message(), HasSubstr("console.token_file"));
  config.token_file = Write("short", "guess-me");
  EXPECT_THAT(Gate::Open(config).status().message(), HasSubstr("at least 16"));
  config.token_file = folder_.path() / "absent";
  EXPECT_THAT(Gate::Open(config).status().message(), HasSubstr("absent"));
  config = {};
  config.tls_key = "key.pem";
  EXPECT_THAT(Gate::Open(config).status().message(), HasSubstr("go together"));
}

TEST_F(GateTest, ASessionEndsWithThePasswordOrTheTokenThatItBeganWith) {
  ConsoleConfig config = WithUsers();
  config.token_file = WithToken().token_file;
  Gate& gate = Open(config);
  const auto sign_in = [&](const nlohmann::json& body) {
    Caller caller;
    const auto cookie = gate.SignIn(body, &caller);
    EXPECT_TRUE(cookie.ok()) << cookie.status();
    return Head("GET", "/api/about", {{"Cookie", cookie->substr(0, cookie->find(';'))}});
  };
  const auto user = sign_in({{"user", "writer"}, {"password", "secret"}});
  const auto token = sign_in({{"token", kToken}});
  EXPECT_EQ(0, Refusal(gate, user));
  EXPECT_EQ(0, Refusal(gate, token));
  const std::string users = kUsers;
  Write("users", users.substr(0, users.find('\n') + 1));  // Without the writer.
  EXPECT_EQ(401, Refusal(gate, user));
  EXPECT_EQ(0, Refusal(gate, token));
  Write("token", std::string(40, 'x'));
  EXPECT_EQ(401, Refusal(gate, token));
}

TEST_F(GateTest, AUserNamedTokenKeepsNoSessionOfTheToken) {
  ConsoleConfig config = WithToken();
  const std::string users = kUsers;
  config.users = Write("users", "token" + users.substr(users.find(':')));
  Gate& gate = Open(config);
  Caller caller;
  const auto cookie = gate.SignIn({{"token", kToken}}, &caller);
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  const auto session = Head("GET", "/api/about", {{"Cookie", *cookie}});
  EXPECT_EQ(0, Refusal(gate, session));
  Replace("token", std::string(40, 'x'));
  EXPECT_EQ(401, Refusal(gate, session));
}

TEST_F(GateTest, ATokenFileThatCouldNotBeReadIsTriedAgain) {
  Gate& gate = Open(WithToken());
  const auto with_token =
      Head("POST", "/api/x", {{"Authorization", std::string("Bearer ") + kToken}});
  Replace("token", std::string(40, 'x'));
  rlimit files{};
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &files));
  const rlimit none{0, files.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));  // The process can open no file.
  const Caller before = gate.Identify(with_token);
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
  EXPECT_TRUE(before.may_change);
  EXPECT_FALSE(gate.Identify(with_token).may_change);
}

TEST_F(GateTest, APasswordReplacedDuringASignInBeginsNoSession) {
  ConsoleConfig config;
  // Of "secret", by `mkpasswd -m sha-256 -R 500000 -S saltsalt`: slow, so that the sign-in is not
  // over when the file is replaced.
  config.users =
      Write("users",
            "ann:$5$rounds=500000$saltsalt$UfP7lc.6do7vtzgBg055RPniARtVeT69CghGg568Eh6:writer\n");
  Gate& gate = Open(config);
  std::latch begun(1);
  Result<std::string> cookie = Status::Invalid("not signed in");
  std::thread sign_in([&] {
    Caller caller;
    begun.count_down();
    cookie = gate.SignIn({{"user", "ann"}, {"password", "secret"}}, &caller);
  });
  begun.wait();
  Replace("users", "ann:$5$saltsalt$JGB0CtkIzvhExHkwtRadUisaAk34gRfyD7b0HSgRPm6:writer\n");
  sign_in.join();
  if (!cookie.ok()) return;  // It began after the file was replaced.
  EXPECT_EQ(401, Refusal(gate, Head("GET", "/api/about", {{"Cookie", *cookie}})));
}

TEST_F(GateTest, EachStreamIsCheckedAgain) {
  ConsoleConfig config = WithUsers();
  config.token_file = WithToken().token_file;
  Gate& gate = Open(config);
  const std::string password = "Basic d3JpdGVyOnNlY3JldA==";  // writer:secret
  const std::string token = std::string("Bearer ") + kToken;
  Caller caller;
  const auto cookie = gate.SignIn({{"user", "writer"}, {"password", "secret"}}, &caller);
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  const auto permission = [&](const Headers& headers) {
    const HttpRequest head = Head("GET", "/api/stream", headers);
    EXPECT_EQ(0, Refusal(gate, head));
    return gate.Permission(head);
  };
  const std::vector<std::function<bool()>> of_writer = {
      permission({{"Authorization", password}}), permission({{"Cookie", *cookie}}),
      permission({{"Authorization", "Bearer bogus"}, {"Cookie", *cookie}})};
  const auto of_token = permission({{"Authorization", token}});
  for (const auto& permitted : of_writer) EXPECT_TRUE(permitted != nullptr && permitted());
  const std::string users = kUsers;
  Replace("users", users.substr(0, users.find('\n') + 1));  // Without the writer.
  for (const auto& permitted : of_writer) EXPECT_FALSE(permitted == nullptr || permitted());
  EXPECT_TRUE(of_token != nullptr && of_token());
  Replace("token", std::string(40, 'x'));
  EXPECT_FALSE(of_token == nullptr || of_token());
}

}  // namespace
}  // namespace shopstream::console
