// One Reason, one stream, one error. From the repository's folder: bash docs/examples/cpp/run
#include <cstdio>
#include <string>
#include <vector>

#include "tandem_client.h"

using tandem::v1::ReasonRequest;
using tandem::v1::ReasonResponse;

static ReasonRequest Request(const std::string& text) {
  ReasonRequest request;
  request.set_request_id(text);
  request.set_text(text);
  return request;
}

int main(int argc, char** argv) {
  const std::vector<std::string> texts{"a small furry animal", "a musical instrument with strings", "to run very fast"};
  tandem::Client client(argc > 1 ? argv[1] : "127.0.0.1:50051");
  bool done = false;
  // A game has no such loop: it calls client.Poll() in each tick.
  const auto wait = [&] {
    for (done = false; !done;) client.Wait(std::chrono::seconds(1));
  };

  const auto print = [&](const tandem::Result<ReasonResponse>& answer) {
    done = true;
    if (answer.ok()) {
      std::printf("answer: %s %s\n", answer->label().c_str(), tandem::DigestHex(answer->state_digest()).c_str());
    } else {
      std::printf("error: %s\n", answer.error().reason.c_str());
    }
  };
  client.Reason(Request(texts.front()), print);
  wait();

  int count = 0;
  std::string last;
  const auto keep = [&](const tandem::StreamAnswer& answer) {
    if (!answer.outcome.ok()) return;
    ++count;
    // Answers come in any order: the request's id tells them apart.
    if (answer.request_id == texts.back()) last = tandem::DigestHex(answer.outcome->state_digest());
  };
  const auto stream = client.ReasonStream(keep, [&](const auto& /*error*/) { done = true; });
  for (const auto& text : texts) stream->Send(Request(text));
  stream->CloseSending();
  wait();
  std::printf("stream: %d answers, %s of the last\n", count, last.c_str());

  ReasonRequest too_short;
  for (const float number : {1.0F, 2.0F, 3.0F}) too_short.add_encoding(number);
  client.Reason(too_short, print);
  wait();
}
