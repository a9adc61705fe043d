#include "base/http_stream.h"

#include <utility>

namespace shopstream {

bool HttpStream::Push(std::string_view piece) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  const bool was_empty = waiting_.empty();
  if (pieces_ >= kAlwaysPieces && waiting_.size() + piece.size() > most_bytes_) {
    closed_ = true;
    waiting_.clear();
  } else {
    waiting_ += piece;
    ++pieces_;
  }
  if (wake_ != nullptr && (was_empty || closed_)) wake_();
  if (closed_) wake_ = nullptr;
  return !closed_;
}

void HttpStream::Close() {
  const std::lock_guard lock(mutex_);
  if (!closed_ && wake_ != nullptr) wake_();
  closed_ = true;
  wake_ = nullptr;
  waiting_.clear();
}

bool HttpStream::open() const {
  const std::lock_guard lock(mutex_);
  return !closed_;
}

void StreamReader::Attach(HttpStream* stream, std::function<void()> wake) {
  const std::lock_guard lock(stream->mutex_);
  if (stream->closed_ || !stream->waiting_.empty()) wake();
  if (!stream->closed_) stream->wake_ = std::move(wake);
}

std::optional<std::string> StreamReader::Take(HttpStream* stream) {
  const std::lock_guard lock(stream->mutex_);
  if (stream->closed_) return std::nullopt;
  stream->pieces_ = 0;
  return std::exchange(stream->waiting_, {});
}

void StreamSet::Open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

bool StreamSet::Add(const std::shared_ptr<HttpStream>& stream) {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const auto& other) { return other.expired(); });
  if (open_) streams_.push_back(stream);
  return open_;
}

void StreamSet::CloseAll() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  for (const auto& weak : streams_) {
    if (const auto stream = weak.lock()) stream->Close();
  }
  streams_.clear();
}

}  // namespace shopstream
