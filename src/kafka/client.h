#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"

// librdkafka's own types stay inside src/kafka/*.cc.
struct rd_kafka_s;
struct rd_kafka_conf_s;

namespace shopstream::kafka {

struct ClientDeleter {
  void operator()(rd_kafka_s* client) const;
};
using ClientHandle = std::unique_ptr<rd_kafka_s, ClientDeleter>;

using Properties = std::map<std::string, std::string>;

enum class ClientKind { kProducer, kConsumer };

// Sets bootstrap.servers and the user's kafka.security on top of `properties`; librdkafka logs to
// our log. Invalid names a rejected property. `opaque` is passed to callbacks.
Result<rd_kafka_conf_s*> MakeConf(const KafkaConfig& config, const Properties& properties,
                                  void* opaque);
Result<ClientHandle> OpenClient(ClientKind kind, rd_kafka_conf_s* conf);  // Takes conf's ownership.

}  // namespace shopstream::kafka
