// Identifies this process, independently of its name and addresses.
#pragma once

#include <string>

namespace tandem {

// 16 random bytes, chosen once per process.
const std::string& InstanceId();

}  // namespace tandem
