#pragma once

#include <memory>
#include <string>

#include "base/config.h"
#include "base/http_server.h"
#include "base/status.h"
#include "console/assets.h"
#include "observe/sampler.h"

namespace shopstream::console {

struct ServerOptions {
  std::string web_folder;  // Of Assets.
};

// The web console: the page application and its API. Also serves the process's /metrics, /livez and
// /readyz.
class Server {
 public:
  // IOError: the port is taken. `config` and `sampler` must outlive the server.
  static Result<std::unique_ptr<Server>> Start(const Config& config, observe::Sampler& sampler,
                                               ServerOptions options = {});
  ~Server();

  int port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::console
