#pragma once

#include <memory>

#include "base/http_server.h"
#include "registry/rest.h"
#include "registry/store.h"
#include "registry/users.h"

namespace shopstream::registry {

struct HandlerOptions {
  // Bounds of one request. Writing outlasts the time in which Kafka finds a new leader for a killed
  // broker's partitions (about 10 s); looking is for clients that wait in a stream.
  Millis write_timeout{30000};
  Millis look_timeout{4000};
  // Requests that wait for Kafka at one time; further ones are told to come again, so that threads
  // are left for what memory answers.
  int most_waiting = 24;
};

// Confluent's Schema Registry API for Avro, release 7.9, in front of a store: a function from
// request to reply. Answers with Confluent's error codes: 503 until the store is ready, 50001 where
// it fails. Thread-safe.
class Api {
 public:
  // `store` must outlive it. Without users everyone may do everything.
  explicit Api(Store& store, HandlerOptions options = {}, Users users = {});
  ~Api();
  Api(Api&&) noexcept;

  // A reply where the head alone is enough to refuse: who asks, and for what.
  std::optional<HttpReply> Gate(const HttpRequest& head) const;
  HttpReply Handle(const HttpRequest& request) const;

  struct Impl;  // The table of routes names its members.

 private:
  std::unique_ptr<Impl> impl_;
};

// Lets the server answer with the API.
void AddRoutes(HttpServer& server, Store& store, HandlerOptions options = {}, Users users = {});

}  // namespace shopstream::registry
