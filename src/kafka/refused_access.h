#pragma once

namespace shopstream::kafka {

// Whether librdkafka's code means that the brokers refused a call because an ACL is missing.
bool IsRefusedAccess(int code);

}  // namespace shopstream::kafka
