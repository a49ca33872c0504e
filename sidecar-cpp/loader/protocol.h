// How the engine starts tandem-loader: its descriptors, its arguments (the engine's process id, bytes of memory,
// seconds of processor time), and its exit codes without an answer.
#pragma once

namespace tandem {

inline constexpr int kFileDescriptor = 3;
inline constexpr int kAnswerDescriptor = 4;

enum LoaderExit {
  kLoaderAnswered = 0,
  kLoaderMisused = 64,
  kLoaderOutOfMemory = 71,
  kLoaderCannotRead = 74,
};

}  // namespace tandem
