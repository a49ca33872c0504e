#include "server/instance_id.h"

#include <unistd.h>

#include <cstdlib>

namespace tandem {

const std::string& InstanceId() {
  static const std::string id = [] {
    std::string bytes(16, '\0');
    // It cannot fail for so few bytes. Two processes must never have the same id.
    if (getentropy(bytes.data(), bytes.size()) != 0) std::abort();
    return bytes;
  }();
  return id;
}

}  // namespace tandem
