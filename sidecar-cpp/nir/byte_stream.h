// Source and destination of an encoded graph: a pipe, or memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

namespace tandem {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void Write(const void* data, std::size_t size) = 0;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `to`; false if the bytes end before that.
  virtual bool Read(void* to, std::size_t size) = 0;
};

class StringSink final : public ByteSink {
 public:
  void Write(const void* data, std::size_t size) override { bytes.append(static_cast<const char*>(data), size); }
  std::string bytes;
};

class SpanSource final : public ByteSource {
 public:
  explicit SpanSource(std::span<const char> bytes) : bytes_(bytes) {}
  bool Read(void* to, std::size_t size) override {
    if (size > bytes_.size()) return false;
    std::copy_n(bytes_.data(), size, static_cast<char*>(to));
    bytes_ = bytes_.subspan(size);
    return true;
  }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const char> bytes_;
};

}  // namespace tandem
