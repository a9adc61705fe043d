#pragma once

#include "base/http_server.h"
#include "registry/store.h"

namespace shopstream::registry {

struct HandlerOptions {
  // Bounds of one request. Writing outlasts the time in which Kafka finds a new leader for a killed
  // broker's partitions (about 10 s); looking is for clients that wait in a stream.
  Millis write_timeout{30000};
  Millis look_timeout{4000};
};

// Adds the routes of Confluent's Schema Registry API that serializers and readers use. Answers
// with Confluent's error codes: 503 until the store is ready, 50001 where it fails. `store` must
// outlive the server.
void AddRoutes(HttpServer& server, Store& store, HandlerOptions options = {});

}  // namespace shopstream::registry
