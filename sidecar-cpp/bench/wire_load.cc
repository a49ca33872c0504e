// tandem-wire-load: calls a gRPC server in a closed loop (a fixed number of concurrent calls) or in an open one (a
// fixed number of calls a second, even if earlier ones are not answered). Latencies count from the planned time of a
// call, so they include a delay before it was sent. It costs little, since it has its own HTTP/2: see
// wire_connection.h. Prints JSON.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "base/clock.h"
#include "bench/wire_connection.h"

namespace tandem::bench {
namespace {

struct Options {
  WireOptions wire;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string bodies;
  std::size_t connections = 1;
  std::size_t in_flight = 1;
  double rate = 0;  // 0: a closed loop
  double duration_s = 2;
  double warmup_s = 0;
  std::size_t min_answer_bytes = 1;
};

// After the end, open calls may still be answered for this time.
constexpr double kGraceSeconds = 5;

class Load : public WireListener {
 public:
  explicit Load(const Options& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t k = 0; k < options.connections; ++k) {
      connections_.push_back(std::make_unique<WireConnection>(options.wire, options.host, options.port, *this));
      Watch(connections_.back()->fd(), k);
    }
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    Watch(timer_, connections_.size());
  }

  ~Load() override {
    close(timer_);
    close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  nlohmann::ordered_json Run() {
    WaitUntilReady();
    began_ = Clock::now();
    measured_from_ = began_ + Seconds(options_.warmup_s);
    until_ = measured_from_ + Seconds(options_.duration_s);
    next_due_ = began_;
    if (options_.rate == 0) {
      for (std::size_t k = 0; k < options_.in_flight; ++k) Start(k, Clock::now());
      FlushAll();
    }
    while (Clock::now() < until_ + Seconds(kGraceSeconds)) {
      if (options_.rate > 0) StartWhatIsDue();
      if (Clock::now() >= until_ && under_way_ == 0) break;
      Wait();
    }
    for (auto& connection : connections_) connection->Fail();
    return Report();
  }

  void OnEnd(TimePoint due, std::size_t answer_bytes) override {
    const TimePoint now = Clock::now();
    --under_way_;
    if (due >= measured_from_) {
      if (answer_bytes >= options_.min_answer_bytes) {
        latencies_us_.push_back(std::chrono::duration<float, std::micro>(now - due).count());
        last_ = now;
      } else {
        ++errors_;
      }
    }
    if (options_.rate == 0 && now < until_ && !reading_->is_closed()) again_.push_back(now);
  }

 private:
  static Clock::duration Seconds(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  void Watch(int fd, std::size_t index) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void WaitUntilReady() {
    const TimePoint end = Clock::now() + Seconds(kGraceSeconds);
    const auto ready = [](const auto& connection) { return connection->is_ready(); };
    while (!std::ranges::all_of(connections_, ready)) {
      if (Clock::now() > end) throw std::runtime_error("the server sends no SETTINGS: it does not speak HTTP/2");
      Wait();
    }
  }

  void Start(std::size_t connection, TimePoint due) {
    WireConnection& to = *connections_[connection % connections_.size()];
    ++under_way_;
    if (due >= measured_from_) ++started_;
    late_us_ = std::max(late_us_, std::chrono::duration<double, std::micro>(Clock::now() - due).count());
    to.Call(turn_++, due);
    if (to.is_closed()) OnEnd(due, 0);
  }

  void StartWhatIsDue() {
    const auto interval = Seconds(1 / options_.rate);
    bool has_started = false;
    for (; next_due_ <= Clock::now() && next_due_ < until_; next_due_ += interval) {
      Start(turn_, next_due_);
      has_started = true;
    }
    if (has_started) FlushAll();
    const auto next = std::chrono::duration_cast<std::chrono::nanoseconds>(next_due_.time_since_epoch()).count();
    itimerspec at{};
    at.it_value = {.tv_sec = next / 1'000'000'000, .tv_nsec = next % 1'000'000'000};
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
  }

  void Wait() {
    std::array<epoll_event, 64> events{};
    const bool has_output = std::ranges::any_of(connections_, [](const auto& each) { return each->has_output(); });
    const int count = epoll_wait(epoll_, events.data(), events.size(), has_output ? 0 : 100);
    for (int k = 0; k < count; ++k) {
      const std::size_t index = events[k].data.u64;
      if (index == connections_.size()) {
        std::uint64_t expirations = 0;
        (void)!read(timer_, &expirations, sizeof(expirations));
        continue;
      }
      reading_ = connections_[index].get();
      if (reading_->is_closed()) {
        epoll_ctl(epoll_, EPOLL_CTL_DEL, reading_->fd(), nullptr);
        continue;
      }
      reading_->Read();
      for (const TimePoint now : again_) Start(index, now);
      again_.clear();
    }
    FlushAll();
  }

  void FlushAll() {
    for (auto& connection : connections_) connection->Flush();
  }

  nlohmann::ordered_json Report() {
    std::ranges::sort(latencies_us_);
    const auto quantile = [&](double q) {
      if (latencies_us_.empty()) return 0.0F;
      const auto count = static_cast<double>(latencies_us_.size());
      return latencies_us_[static_cast<std::size_t>(std::max(0.0, std::ceil(q * count) - 1))];
    };
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const double cpu_us = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                          static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    const double seconds = std::chrono::duration<double>(std::max(last_, until_) - measured_from_).count();
    const std::size_t calls = latencies_us_.size();
    return {{"calls", calls},
            {"errors", errors_ + (started_ - std::min(started_, calls + errors_))},
            {"seconds", seconds},
            {"calls_per_s", static_cast<double>(calls) / seconds},
            {"p50_us", quantile(0.50)},
            {"p90_us", quantile(0.90)},
            {"p99_us", quantile(0.99)},
            {"p999_us", quantile(0.999)},
            {"max_us", quantile(1.0)},
            {"generator_late_us", late_us_},
            {"generator_cpu_us", cpu_us / static_cast<double>(std::max<std::size_t>(turn_, 1))}};
  }

  const Options& options_;
  int epoll_;
  int timer_ = -1;
  std::vector<std::unique_ptr<WireConnection>> connections_;
  WireConnection* reading_ = nullptr;
  std::vector<TimePoint> again_;
  TimePoint began_;
  TimePoint measured_from_;
  TimePoint until_;
  TimePoint last_;
  TimePoint next_due_;
  std::size_t turn_ = 0;
  std::size_t under_way_ = 0;
  std::size_t started_ = 0;
  std::size_t errors_ = 0;
  double late_us_ = 0;
  std::vector<float> latencies_us_;
};

// Bodies follow each other in the file, each with its gRPC prefix.
std::vector<std::string> ReadBodies(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::string> bodies;
  for (std::size_t at = 0; at + 5 <= bytes.size();) {
    std::size_t length = 5;
    for (std::size_t k = 1; k < 5; ++k) length += std::size_t{static_cast<std::uint8_t>(bytes[at + k])} << (32 - 8 * k);
    bodies.push_back(bytes.substr(at, length));
    at += length;
  }
  if (bodies.empty()) throw std::runtime_error("\"" + path + "\" holds no message with a gRPC prefix");
  return bodies;
}

int Main(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Calls a gRPC server in a closed or an open loop over raw HTTP/2; prints JSON.", "tandem-wire-load");
  app.option_defaults()->always_capture_default();
  app.add_option("--host", options.host, "IPv4 address");
  app.add_option("--port", options.port, "port, h2c")->required();
  app.add_option("--path", options.wire.path, "\"/package.Service/Method\"")->required();
  app.add_option("--bodies", options.bodies, "file of requests, each with its gRPC prefix; sent in turn")->required();
  app.add_option("--connections", options.connections, "connections")->check(CLI::Range(1, 1'024));
  app.add_option("--in-flight", options.in_flight, "closed loop: concurrent calls")->check(CLI::Range(1, 4'096));
  app.add_option("--rate", options.rate, "open loop: calls a second; 0: a closed loop");
  app.add_option("--duration", options.duration_s, "seconds to measure");
  app.add_option("--warmup", options.warmup_s, "seconds before that");
  app.add_option("--min-answer-bytes", options.min_answer_bytes, "an answer with fewer counts as an error");
  app.add_flag("--stream", options.wire.is_stream, "one stream a connection; a body is one message");
  app.add_flag("--count-results", options.wire.counts_results, "stream: answers are the fields 1 of the messages");
  CLI11_PARSE(app, argc, argv);
  options.wire.authority = options.host + ":" + std::to_string(options.port);
  options.wire.bodies = ReadBodies(options.bodies);
  Load load(options);
  std::printf("%s\n", load.Run().dump(1).c_str());
  return 0;
}

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  try {
    return tandem::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tandem-wire-load: %s\n", error.what());
    return 1;
  }
}
