#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "produce/parcel.h"

namespace shopstream::produce {

// Parcels circulate between the thread that fills them and the thread that sends them, in order.
// There are never more than `parcels` of them: the filling thread waits for one to return, which
// provides back-pressure. One thread at each end.
class Handover {
 public:
  explicit Handover(int parcels);

  // For the filling thread. Waits for an empty parcel; null once the other end has stopped.
  std::unique_ptr<Parcel> TakeEmpty();
  void GiveFull(std::unique_ptr<Parcel> parcel);
  bool stopped() const;
  // Nothing comes after this; `end` is the reason.
  void Finish(Status end);

  // For the sending thread. Null: none arrived in time, or none will (see finished).
  std::unique_ptr<Parcel> TakeFull(Millis timeout);
  void GiveEmpty(std::unique_ptr<Parcel> parcel);
  // Asks the filling thread to stop; full parcels are still handed out.
  void Stop();
  // The argument of Finish, once every full parcel has been taken.
  std::optional<Status> finished() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Parcel>> empty_;
  std::vector<std::unique_ptr<Parcel>> full_;  // First in, first out; a handful at most.
  bool stopped_ = false;
  std::optional<Status> end_;
};

}  // namespace shopstream::produce
