#include "server/listen_address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace tandem {
namespace {

constexpr std::string_view kUnix = "unix:";

Error Bad(const std::string& address, const std::string& what) {
  return {Code::kInvalidArgument, "LISTEN", "cannot listen on \"" + Printable(address) + "\": " + what, {}};
}

bool SomebodyAnswersOn(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), path.size());
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0) return false;
  const bool answered = connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  close(client);
  return answered;
}

// The kind of file at the path; empty if there is none, or a socket, which a killed process may have left.
std::string OtherThanSocket(const std::string& path) {
  struct stat is {};
  if (lstat(path.c_str(), &is) != 0 || S_ISSOCK(is.st_mode)) return "";
  if (S_ISREG(is.st_mode)) return "a file";
  if (S_ISDIR(is.st_mode)) return "a folder";
  if (S_ISLNK(is.st_mode)) return "a symbolic link";
  return "something that is not a socket";
}

MaybeError CheckUnix(const std::string& address) {
  const std::string path = UnixPath(address);
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Bad(address, "the path must have 1 to " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  if (const std::string other = OtherThanSocket(path); !other.empty()) {
    return Bad(address, "there is " + other + " at this path; remove it, or choose another path with --listen");
  }
  if (!SomebodyAnswersOn(path)) return std::nullopt;
  return Bad(address, "another process answers on this socket; stop it or choose another path with --listen");
}

}  // namespace

std::string UnixPath(const std::string& address) {
  if (!address.starts_with(kUnix)) return "";
  const std::string path = address.substr(kUnix.size());
  return path.starts_with("//") ? path.substr(2) : path;
}

MaybeError CheckListenAddress(const std::string& address) {
  if (address.starts_with(kUnix)) return CheckUnix(address);
  const std::size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const bool digits =
      !port.empty() && port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (colon == 0 || !digits || std::stoi(port) > 65535) {
    return Bad(address, "must be host:port (port 0: any free one) or unix:/path");
  }
  return std::nullopt;
}

std::string AddressWithPort(const std::string& address, int port) {
  if (address.starts_with(kUnix)) return address;
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

Error CannotListen(const std::string& address) {
  if (address.starts_with(kUnix)) {
    return Bad(address, "the socket cannot be created; check that its folder exists and is writable");
  }
  return Bad(address,
             "the address is in use, or is not an address of this machine; find the process that uses it with `ss "
             "-ltnp`, stop that "
             "process, or choose another with --listen (port 0: any free one)");
}

}  // namespace tandem
