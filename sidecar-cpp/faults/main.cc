// Removes its own options from the command line of tandem-engine-faulty, and then calls the `main` of main.cc, which
// the linker has renamed (cmake/faults.cmake).
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "faults/faults.h"

namespace {

constexpr const char* kHelp =
    R"(TEST BUILD: tandem-engine with faults, for test/faults only. Beside the options below it takes:
  --fault SPEC         answers=SHARE   a bit of the answer flips behind its digests
                       runs=SHARE      a bit of the result flips before its digests are taken
                       nans=SHARE      potentials are NaN, and the digests bear them out
                       oneshot=SHARE   1 to 8 bits of state or weights flip during the run, and are as before after it
                       refuse=REASON   every input is refused with that reason; REASON:SHARE, so many of them
                       weights=COUNT   so many weights have one bit flipped in memory, once they are loaded
                       nan_weight=1    one weight is NaN in memory, once they are loaded
                       exponent_bit=K  bit K (23 to 30) of one weight is flipped in memory, once they are loaded
                       delay_ms=TIME   every batch takes so much longer
                       may be given several times
  --fault-seed NUMBER  which answers, weights and bits (default 1)
  --fault-log FILE     gets a line of JSON for each run of oneshot: what flipped, and where the run first differs
  --faults-wait        until SIGHUP switches them on; it switches them off, too

)";

int Fail(const std::string& message) {
  std::fprintf(stderr, "tandem-engine-faulty: %s\n", message.c_str());
  return 1;
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" int __real_main(int argc, char** argv);
extern "C" int __wrap_main(int argc, char** argv);

int __wrap_main(int argc, char** argv) {
  tandem::Faults faults;
  bool wait = false;
  std::vector<char*> rest{argv[0]};
  for (int k = 1; k < argc; ++k) {
    const std::string option = argv[k];
    if (option == "--help" || option == "-h") std::fputs(kHelp, stdout);
    if (option == "--faults-wait") {
      wait = true;
    } else if (option == "--fault" || option == "--fault-seed" || option == "--fault-log") {
      if (++k == argc) return Fail(option + " needs a value; see --help");
      const std::string value = argv[k];
      if (option == "--fault") {
        if (const auto error = tandem::AddFault(value, faults)) return Fail(error->message);
      } else if (option == "--fault-log") {
        faults.log_file = value;
      } else {
        const char* const end = value.data() + value.size();
        const auto [stop, failed] = std::from_chars(value.data(), end, faults.seed);
        if (failed != std::errc() || stop != end) return Fail("--fault-seed needs a whole number; see --help");
      }
    } else {
      rest.push_back(argv[k]);
    }
  }
  rest.push_back(nullptr);
  tandem::SetFaults(faults, !wait);
  std::signal(SIGHUP, [](int) { tandem::SwitchFaults(); });
  return __real_main(static_cast<int>(rest.size()) - 1, rest.data());
}
// NOLINTEND(bugprone-reserved-identifier)
