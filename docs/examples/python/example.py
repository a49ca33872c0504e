"""One Reason, one stream, one error. docs/clients.md says how to run it."""

import sys

from tandem import ReasonRequest, Tandem, TandemError, digest_hex

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"

with Tandem(address, timeout=5) as tandem:
    answer = tandem.reason(ReasonRequest(text="a small furry animal"))
    print(f"answer: {answer.label} {digest_hex(answer.state_digest)}")

    # Answers come as they are ready, so they are told apart by the id of their request.
    texts = ["a small furry animal", "a musical instrument with strings", "to run very fast"]
    digests = {}
    for each in tandem.reason_stream(ReasonRequest(request_id=text, text=text) for text in texts):
        if each.error:
            raise each.error
        digests[each.request_id] = digest_hex(each.result.state_digest)
    print(f"stream: {len(digests)} answers, {digests[texts[-1]]} of the last")

    try:
        tandem.reason(ReasonRequest(encoding=[1, 2, 3]))
    except TandemError as error:
        print(f"error: {error.reason}")
