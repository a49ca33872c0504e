// Flags and TANDEM_ENGINE_… variables of tandem-engine.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/engine_core.h"
#include "server/server.h"

namespace tandem {

struct CommandLine {
  ServerOptions server;
  EngineCore::Options core;
  std::string models = "models";
  std::string log_level = "info";
  bool log_json = false;
  std::string simd;  // empty: the best
  // With all that follows it, an end comes within the 10 s that Docker gives.
  std::chrono::milliseconds drain_timeout{8000};
  // Drain and stop when the process that started this one is gone.
  bool exit_with_parent = false;
  int parent = 0;  // its process id; 0: not given
  // Ask the engine at this address how it is instead of serving.
  std::string check_health;  // empty: serve
  // `check FILE`: validate a file instead of serving.
  std::string check_file;  // empty: serve
  std::string check_manifest;
  // `learn-replay FILE`: replay a learning log instead of serving.
  std::string learning_log;  // empty: serve
};

// nullopt: nothing more to do, exit with `exit_code` (help or version was printed, or an error was).
std::optional<CommandLine> ParseCommandLine(int argc, const char* const* argv, int& exit_code);

}  // namespace tandem
