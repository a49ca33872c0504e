// Where a server listens: "host:port", "[v6]:port", or "unix:/path" ("unix:///path").
#pragma once

#include <string>

#include "base/status.h"

namespace tandem {

// Refuses what is not an address, and a Unix socket that another process answers on (it would be taken over).
MaybeError CheckListenAddress(const std::string& address);

// The file of a Unix socket; empty for other addresses.
std::string UnixPath(const std::string& address);

// The address with the port that was really bound.
std::string AddressWithPort(const std::string& address, int port);

// Why listening failed, as far as can be told, and what to do.
Error CannotListen(const std::string& address);

}  // namespace tandem
