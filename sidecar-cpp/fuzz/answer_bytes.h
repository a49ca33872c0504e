// Reads and writes the loader's answers in memory.
#pragma once

#include <string>
#include <string_view>

#include "loader/answer.h"

namespace tandem::fuzz {

inline Expected<Answer> AnswerOf(std::string_view bytes) {
  SpanSource source(bytes);
  return ReadAnswer(source);
}

inline std::string BytesOf(const Answer& answer) {
  StringSink sink;
  WriteAnswer(answer, sink);
  return sink.bytes;
}

}  // namespace tandem::fuzz
