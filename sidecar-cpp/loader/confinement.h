// What tandem-loader does to itself before it looks at a file. Limits outlast whatever the file makes of the process.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace tandem {

// Memory, processor time, no core file, no new descriptors (so no files and no network), no file written; ends with
// `parent`. False: the parent is gone already.
bool LimitThisProcess(std::uint64_t memory_bytes, std::uint64_t cpu_seconds, pid_t parent);

// From now on the kernel refuses every system call but the few that reading from memory and writing to the pipe take.
// 0, or the error number where the kernel does not filter: the limits above then stand alone.
int FilterSystemCalls();

}  // namespace tandem
