#include "server/load_models.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <future>
#include <stop_token>

#include "base/descriptor.h"

namespace tandem {
namespace {

// Becomes readable when the loading thread is done, whichever way.
struct TellWhenDone {
  int event;
  ~TellWhenDone() { eventfd_write(event, 1); }
};

}  // namespace

std::optional<Repository> LoadModels(const std::filesystem::path& folder, const sigset_t& stop_signals) {
  const Descriptor signals(signalfd(-1, &stop_signals, SFD_CLOEXEC));
  const Descriptor done(eventfd(0, EFD_CLOEXEC));
  std::stop_source stop;
  auto loading = std::async(std::launch::async, [&] {
    const TellWhenDone tell{done.get()};
    return Repository::Load(folder, stop.get_token());
  });
  std::array<pollfd, 2> wait = {{{signals.get(), POLLIN, 0}, {done.get(), POLLIN, 0}}};
  while (poll(wait.data(), wait.size(), -1) < 0 && errno == EINTR) {
  }
  const bool stopped = wait[0].revents != 0;
  if (stopped) stop.request_stop();
  Repository repository = loading.get();
  if (stopped) return std::nullopt;
  return repository;
}

}  // namespace tandem
