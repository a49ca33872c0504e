// `tandem-engine check`: prints the content of a NIR file, or its error.
#pragma once

#include <string>

namespace tandem {

// Prints a table of the evaluated nodes to stdout, and runs the model's golden vectors if it has any; or prints the
// error to stderr. Returns the exit code: 0 or 1.
int CheckFile(const std::string& nir_file, const std::string& manifest_file);

}  // namespace tandem
