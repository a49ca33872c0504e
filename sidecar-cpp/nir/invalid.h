// Builds all errors about a model in one form: `node "lif1": field "tau": must be > 0, found -0.001 at index 3`.
#pragma once

#include <string>

#include "base/status.h"
#include "base/text.h"

namespace tandem {

// About the whole file.
inline Error InvalidFile(const std::string& what) { return {Code::kInvalidArgument, "MODEL_INVALID", what, {}}; }

// About one node.
inline Error InvalidNode(const std::string& node, const std::string& what) {
  return {Code::kInvalidArgument,
          "MODEL_INVALID",
          "node \"" + Printable(node) + "\": " + what,
          {{"node", Printable(node)}}};
}

// About one field of a node.
inline Error InvalidField(const std::string& node, const std::string& field, const std::string& what) {
  return {Code::kInvalidArgument,
          "MODEL_INVALID",
          "node \"" + Printable(node) + "\": field \"" + field + "\": " + what,
          {{"node", Printable(node)}, {"field", field}}};
}

}  // namespace tandem
