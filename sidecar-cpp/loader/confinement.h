// The limits that tandem-loader sets for itself before it reads a file. A file that takes over the process cannot
// remove them.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace tandem {

// Limits memory and processor time, and forbids a core file, new descriptors (so files and network), and writing a
// file. The process ends with `parent`. Returns false if the parent has already ended.
bool LimitThisProcess(std::uint64_t memory_bytes, std::uint64_t cpu_seconds, pid_t parent);

// Makes the kernel refuse all system calls except the few for reading from memory and writing to the pipe. Returns 0,
// or the error number if the kernel does not filter: then only the limits above apply.
int FilterSystemCalls();

}  // namespace tandem
