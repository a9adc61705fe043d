#pragma once

#include <functional>

#include "simulate/broker.h"

namespace shopstream::simulate {

// Runs `act` as a program of a simulation, on a Kafka without faults and, at first, without the
// topic. Returns what `act` returns.
bool RunSimulated(const std::function<bool(Broker*)>& act);

}  // namespace shopstream::simulate
