#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/trouble.h"

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

// Whether the client has ever received an answer from the cluster. Does not wait.
bool HasReachedCluster(rd_kafka_s* client);

// The most informative of the client's broken connections; nothing: none broke. Of the last 15 s,
// and not counting connections that were closed without a reason: RecentTrouble.
std::optional<Trouble> LastTrouble(const rd_kafka_s* client);
std::optional<Trouble> RecentTrouble(const rd_kafka_s* client);

// Whether to stop waiting for an answer, asked for at `since`: the brokers refuse us for a reason
// that lasts, or the program was asked to stop a while ago.
bool IsHopeless(rd_kafka_s* client, BootClock::time_point since);

}  // namespace shopstream::kafka
