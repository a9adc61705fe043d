#pragma once

#include "simulate/broker.h"

namespace shopstream::simulate {

// Creates and deletes the topic, produces and deletes records on a real cluster.
Result<std::unique_ptr<Broker>> OpenRealBroker(const std::string& bootstrap_servers,
                                               const std::string& topic);

}  // namespace shopstream::simulate
