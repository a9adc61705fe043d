#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/http_query.h"
#include "base/json.h"
#include "console/api.h"
#include "console/lake_tables.h"
#include "console/masking.h"
#include "console/temporary_folder_testing.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "observe/sampler.h"
#include "refine/pass_testing.h"

namespace shopstream::console {

// A lake on disk with a Bronze of purchases. No Kafka answers.
class LakeApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.lake.uri = (folder_.path() / "lake").string();
    config_.kafka.bootstrap_servers = "127.0.0.1:1";
    store_ = *lake::OpenObjectStore(config_);
  }

  void CreateBronze() {
    bronze_ = *lake::Table::OpenOrCreate(store_.get(), refine::testing::BronzeSpec());
  }
  void Ingest(const std::vector<refine::testing::Purchase>& rows) {
    refine::testing::Ingest(bronze_.get(), rows);
  }

  // Of the handlers that `routes` makes, once the configuration is complete.
  void Serve(std::vector<ApiRoute> (*routes)(const World&)) {
    masking_ = std::make_unique<Masking>(config_.console.mask);
    sampler_ = *observe::Sampler::Start(config_);
    tables_ = std::make_unique<LakeTables>(config_);
    world_ = std::make_unique<World>(World{config_, *sampler_, *masking_, *tables_});
    routes_ = routes(*world_);
  }

  const ApiRoute& RouteOf(const std::string& method, const std::string& pattern) const {
    for (const ApiRoute& route : routes_) {
      if (route.method == method && route.pattern == pattern) return route;
    }
    ADD_FAILURE() << "there is no route " << method << " " << pattern;
    return routes_.front();
  }
  // The answer, or {"error": message}. `captures`: what the '*' of the pattern stand for.
  nlohmann::ordered_json Ask(const std::string& method, const std::string& pattern,
                             std::vector<std::string> captures = {}, const std::string& query = "",
                             const nlohmann::json& body = nlohmann::json::object()) {
    HttpRequest http;
    http.method = method;
    http.captures = std::move(captures);
    http.raw_query = query;
    const auto answer = std::get<Read>(RouteOf(method, pattern).handler)({http, body});
    return answer.ok() ? *answer : nlohmann::ordered_json{{"error", answer.status().message()}};
  }
  nlohmann::ordered_json Get(const std::string& pattern, std::vector<std::string> captures = {},
                             const std::string& query = "") {
    return Ask("GET", pattern, std::move(captures), query);
  }

  TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<lake::ObjectStore> store_;
  std::unique_ptr<lake::Table> bronze_;
  std::unique_ptr<Masking> masking_;
  std::unique_ptr<observe::Sampler> sampler_;
  std::unique_ptr<LakeTables> tables_;
  std::unique_ptr<World> world_;
  std::vector<ApiRoute> routes_;
};

}  // namespace shopstream::console
