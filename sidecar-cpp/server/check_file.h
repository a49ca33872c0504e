// `tandem-engine check`: what a NIR file holds, or what is wrong with it.
#pragma once

#include <string>

namespace tandem {

// Prints a table of the evaluated nodes to stdout, and runs the golden vectors where the model has them; or the error
// to stderr. The process's exit code: 0 or 1.
int CheckFile(const std::string& nir_file, const std::string& manifest_file);

}  // namespace tandem
