#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream {

// The rest of a reply's body, pushed piece by piece from any thread. It occupies no thread while
// nothing is pushed, and it is bounded: a client that reads more slowly than pieces come is
// disconnected. Thread-safe.
//
// However large they are, kAlwaysPieces may wait: a client that reads fast must get each piece.
class HttpStream {
 public:
  static constexpr size_t kAlwaysPieces = 4;

  // `most_bytes`: what may wait for the client.
  explicit HttpStream(size_t most_bytes) : most_bytes_(most_bytes) {}

  // Never blocks. False: the stream is closed; nobody receives this piece.
  bool Push(std::string_view piece);
  // Disconnects the client.
  void Close();
  bool open() const;

 private:
  friend class StreamReader;

  const size_t most_bytes_;
  mutable std::mutex mutex_;
  std::string waiting_;         // Guarded by mutex_, like all below.
  size_t pieces_ = 0;           // That wait.
  std::function<void()> wake_;  // Null: nobody reads yet, or the stream is closed.
  bool closed_ = false;
};

// The server's side of a stream.
class StreamReader {
 public:
  // Calls `wake`, which must not block, when there is something to take or the stream is closed; it
  // is never called after Close().
  static void Attach(HttpStream* stream, std::function<void()> wake);
  // What waits; nothing if the stream is closed.
  static std::optional<std::string> Take(HttpStream* stream);
};

// The streams of a server. They are closed before it stops, because others push into them.
// Thread-safe.
class StreamSet {
 public:
  void Open();
  // False: all are closed, and so is this one.
  bool Add(const std::shared_ptr<HttpStream>& stream);
  void CloseAll();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<HttpStream>> streams_;  // Guarded by mutex_, like all below.
  bool open_ = false;
};

}  // namespace shopstream
