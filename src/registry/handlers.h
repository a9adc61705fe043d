#pragma once

#include <memory>

#include "base/http_server.h"
#include "base/users.h"
#include "registry/rest.h"
#include "registry/store.h"

namespace shopstream::registry {

struct HandlerOptions {
  // Time limits of one request. Writing takes longer than Kafka needs to elect a new leader for a
  // killed broker's partitions (about 10 s); reading is for clients in the middle of a stream.
  Millis write_timeout{30000};
  Millis look_timeout{4000};
  // Maximum number of requests that wait for Kafka; further ones are asked to retry, so that
  // threads remain for requests answered from memory. Writes that wait share a transaction.
  int most_waiting = 360;
};

// Confluent's Schema Registry API, release 7.9, on top of a store: a function from request
// to reply. Uses Confluent's error codes: 503 until the store is ready, 50001 if it fails.
// Thread-safe.
class Api {
 public:
  // `store` must outlive it. Without users, anyone may do anything.
  explicit Api(Store& store, HandlerOptions options = {}, Users users = {});
  ~Api();
  Api(Api&&) noexcept;

  // A reply if the head alone is enough to refuse the request: no such user, or no permission.
  std::optional<HttpReply> Gate(const HttpRequest& head) const;
  HttpReply Handle(HttpRequest& request) const;  // Sets its captures.
  // For requests that the server refuses before they are handled.
  HttpReply Reject(const RestError& error, const HttpRequest& request) const;

  struct Impl;  // The table of routes names its members.

 private:
  std::unique_ptr<Impl> impl_;
};

// Makes the server answer with the API.
void AddRoutes(HttpServer& server, Store& store, HandlerOptions options = {}, Users users = {});

}  // namespace shopstream::registry
