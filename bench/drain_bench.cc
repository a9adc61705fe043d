// Throughput of the bare client library: every record of a topic through the consumer's own batch
// call, touched and discarded. The baseline for `shopstream ingest`. Prints one line of JSON.
//
//   drain_bench BOOTSTRAP TOPIC PARTITIONS

#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;

rd_kafka_t* OpenConsumer(const std::string& bootstrap) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  // The queue and back-off with which the bare library is fastest on two cores.
  const std::pair<const char*, std::string> settings[] = {
      {"bootstrap.servers", bootstrap},          {"group.id", "drain-bench"},
      {"enable.auto.commit", "false"},           {"auto.offset.reset", "earliest"},
      {"enable.partition.eof", "true"},          {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", "1048576"}, {"fetch.message.max.bytes", "8388608"},
      {"fetch.queue.backoff.ms", "2"},
  };
  char reason[512];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "drain_bench: %s\n", reason);
      std::exit(1);
    }
  }
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
  if (consumer == nullptr) {
    std::fprintf(stderr, "drain_bench: %s\n", reason);
    std::exit(1);
  }
  rd_kafka_poll_set_consumer(consumer);
  return consumer;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: drain_bench BOOTSTRAP TOPIC PARTITIONS\n");
    return 2;
  }
  const int partitions = std::atoi(argv[3]);
  rd_kafka_t* consumer = OpenConsumer(argv[1]);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list, argv[2], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);

  static std::array<rd_kafka_message_t*, 10000> batch;
  int64_t records = 0, bytes = 0;
  int ended = 0;
  Clock::time_point first{};
  const Clock::time_point give_up = Clock::now() + std::chrono::minutes(5);
  while (ended < partitions && Clock::now() < give_up) {
    const ssize_t count = rd_kafka_consume_batch_queue(queue, 100, batch.data(), batch.size());
    for (ssize_t i = 0; i < count; ++i) {
      if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (records++ == 0) first = Clock::now();
        bytes += static_cast<int64_t>(batch[i]->len);
      } else if (batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ++ended;
      }
      rd_kafka_message_destroy(batch[i]);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - first).count();
  std::printf("{\"records\": %lld, \"bytes\": %lld, \"seconds\": %.3f, \"cpu_seconds\": %.3f}\n",
              static_cast<long long>(records), static_cast<long long>(bytes), seconds,
              CpuSeconds());
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return ended == partitions ? 0 : 1;
}
