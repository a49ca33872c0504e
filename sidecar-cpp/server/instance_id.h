// Which process this is, whatever its name and addresses.
#pragma once

#include <string>

namespace tandem {

// 16 bytes, drawn at random once in the life of the process.
const std::string& InstanceId();

}  // namespace tandem
