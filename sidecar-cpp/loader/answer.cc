#include "loader/answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "nir/graph_codec.h"

namespace tandem {
namespace {

// Changes with the format of the answer, so that an engine detects a loader of another build.
constexpr std::uint64_t kVersion = 0x7461'6e64'656d'0002;

constexpr std::size_t kMaxMessageBytes = 4096;
constexpr std::size_t kMaxFactBytes = 256;
constexpr std::size_t kMaxFacts = 4;
constexpr std::uint64_t kMaxErrno = 4095;

enum Kind : std::uint64_t { kGraph = 0, kError = 1 };

Error Bad(const std::string& what) {
  return {Code::kInternal,
          "INTERNAL",
          "tandem-loader gave an invalid answer (" + what + "); do not use this file, and report it",
          {}};
}

void WriteError(const Error& error, ByteSink& to) {
  WriteText(std::string_view(error.message).substr(0, kMaxMessageBytes), to);
  const std::size_t facts = std::min(error.metadata.size(), kMaxFacts);
  WriteNumber(facts, to);
  auto fact = error.metadata.begin();
  for (std::size_t k = 0; k < facts; ++k, ++fact) {
    WriteText(fact->first, to);
    WriteText(fact->second, to);
  }
}

// Text for logs and answers.
bool ReadPrintable(ByteSource& from, std::size_t max_bytes, std::string& to) {
  const auto is_control = [](char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == 0x7F; };
  return ReadText(from, max_bytes, to) && IsUtf8(to) && std::ranges::none_of(to, is_control);
}

Expected<Answer> ReadError(ByteSource& from, std::uint64_t seccomp_errno) {
  Error error{Code::kInvalidArgument, "MODEL_INVALID", "", {}};
  std::uint64_t facts = 0;
  if (!ReadPrintable(from, kMaxMessageBytes, error.message) || error.message.empty()) return Bad("text of an error");
  if (!ReadNumber(from, kMaxFacts, facts)) return Bad("number of facts");
  for (; facts > 0; --facts) {
    std::string key;
    std::string value;
    if (!ReadPrintable(from, kMaxFactBytes, key) || !ReadPrintable(from, kMaxFactBytes, value)) return Bad("fact");
    error.metadata.insert_or_assign(std::move(key), std::move(value));
  }
  return Answer{std::move(error), seccomp_errno};
}

}  // namespace

void WriteAnswer(const Answer& answer, ByteSink& to) {
  WriteNumber(kVersion, to);
  WriteNumber(answer.seccomp_errno, to);
  if (answer.graph.ok()) {
    WriteNumber(kGraph, to);
    WriteGraph(answer.graph.value(), to);
  } else {
    WriteNumber(kError, to);
    WriteError(answer.graph.error(), to);
  }
}

Expected<Answer> ReadAnswer(ByteSource& from) {
  std::uint64_t version = 0;
  std::uint64_t seccomp_errno = 0;
  std::uint64_t kind = 0;
  if (!from.Read(&version, sizeof(version))) return Bad("no answer");
  if (version != kVersion) {
    return Error{Code::kInternal,
                 "INTERNAL",
                 "tandem-loader is of another build than this engine; install both from the same one",
                 {}};
  }
  if (!ReadNumber(from, kMaxErrno, seccomp_errno) || !ReadNumber(from, kError, kind)) return Bad("head");
  if (kind == kError) return ReadError(from, seccomp_errno);
  auto graph = ReadGraph(from);
  if (!graph.ok()) return Bad(graph.error().message);
  return Answer{std::move(graph).value(), seccomp_errno};
}

}  // namespace tandem
