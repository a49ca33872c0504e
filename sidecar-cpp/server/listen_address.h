// The address of a server: "host:port", "[v6]:port", or "unix:/path" ("unix:///path").
#pragma once

#include <string>

#include "base/status.h"

namespace tandem {

// Refuses text that is not an address, and a Unix socket on which another process answers (it would be taken over).
MaybeError CheckListenAddress(const std::string& address);

// The file of a Unix socket; empty for other addresses.
std::string UnixPath(const std::string& address);

// The address with the bound port.
std::string AddressWithPort(const std::string& address, int port);

// The reason why listening failed, as far as it is known, and what to do.
Error CannotListen(const std::string& address);

}  // namespace tandem
