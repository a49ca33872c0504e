#pragma once

#include "base/status.h"

namespace tandem {

inline Error StoppedWhileLoading() {
  return {Code::kCancelled, "CANCELLED", "the engine was stopped while it read the file", {}};
}

}  // namespace tandem
