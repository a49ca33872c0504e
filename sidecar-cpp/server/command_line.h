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
  // The stop, including all that follows this time, takes less than Docker's 10 s.
  std::chrono::milliseconds drain_timeout{8000};
  // Drain and stop when the parent process ends.
  bool exit_with_parent = false;
  int parent = 0;  // its process id; 0: not given
  // Check the health of the engine at this address instead of serving.
  std::string check_health;  // empty: serve
  // `check FILE`: validate a file instead of serving.
  std::string check_file;  // empty: serve
  std::string check_manifest;
  // `learn-replay FILE`: replay a learning log instead of serving.
  std::string learning_log;  // empty: serve
};

// nullopt: exit with `exit_code` (help, version or an error was printed).
std::optional<CommandLine> ParseCommandLine(int argc, const char* const* argv, int& exit_code);

}  // namespace tandem
