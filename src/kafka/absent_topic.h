#pragma once

#include <string>

#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"

namespace shopstream::kafka {

// The error about a topic that does not exist; names the nearest one, if the brokers have one.
Status DescribeAbsence(const std::string& name, const KafkaConfig& config, Admin* admin);

}  // namespace shopstream::kafka
