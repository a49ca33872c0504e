package com.tandem.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tandem.v1.ReasonRequest;
import com.tandem.v1.Session;
import com.tandem.v1.Tensor;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TandemClientTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private static ReasonRequest text(String text) {
    return ReasonRequest.newBuilder().setRequestId(text).setText(text).build();
  }

  @Test
  void answers() throws Exception {
    try (FakeRouter router = new FakeRouter();
        TandemClient client = router.client(LONG)) {
      assertEquals("dog", client.reason(text("dog")).getLabel());
      assertEquals("ffffffffffffffff", Digests.hex(client.reason(text("dog")).getStateDigest()));
    }
  }

  @Test
  void anErrorHasWhatTheRouterSays() throws Exception {
    try (FakeRouter router = new FakeRouter(FakeRouter.refusal(Status.INVALID_ARGUMENT, Duration.ofMillis(1500)));
        TandemClient client = router.client(LONG)) {
      TandemException error = assertThrows(TandemException.class, () -> client.reason(text("dog")));
      assertEquals(Status.Code.INVALID_ARGUMENT, error.code());
      assertEquals("ROUTER_FULL", error.reason());
      assertEquals("16", error.metadata().get("step"));
      assertEquals("encoding", error.fieldViolations().get(0).field());
      assertEquals(Duration.ofMillis(1500), error.retryAfter().orElseThrow());
      assertEquals("INVALID_ARGUMENT (ROUTER_FULL): what happened", error.getMessage());
    }
  }

  @Test
  void retriesWhatTheRouterRefusesForAMoment() throws Exception {
    var full = FakeRouter.refusal(Status.RESOURCE_EXHAUSTED, Duration.ofMillis(1));
    try (FakeRouter router = new FakeRouter(full, full);
        TandemClient client = router.client(LONG)) {
      assertEquals("dog", client.reason(text("dog")).getLabel());
      assertEquals(3, router.calls.get());
    }
  }

  @Test
  void doesNotWaitPastTheDeadline() throws Exception {
    try (FakeRouter router = new FakeRouter(FakeRouter.refusal(Status.UNAVAILABLE, Duration.ofDays(1)));
        TandemClient client = router.client(LONG)) {
      TandemException error = assertThrows(TandemException.class, () -> client.reason(text("dog")));
      assertEquals("ROUTER_FULL", error.reason());
      assertEquals(1, router.calls.get());
    }
  }

  @Test
  void aSessionMessageThatMayHaveBeenComputedIsNotSentAgain() throws Exception {
    ReasonRequest request = text("dog").toBuilder().setSession(Session.newBuilder().setId("robot-7")).build();
    try (FakeRouter router = new FakeRouter(Status.UNAVAILABLE.asRuntimeException());
        TandemClient client = router.client(LONG)) {
      TandemException error = assertThrows(TandemException.class, () -> client.reason(request));
      assertEquals("", error.reason());
      assertEquals(1, router.calls.get());
    }
  }

  @Test
  void endsACallAtItsDeadline() throws Exception {
    try (FakeRouter router = FakeRouter.hanging();
        TandemClient client = router.client(LONG)) {
      TandemClient hasty = client.withDeadline(Duration.ofMillis(20));
      TandemException error = assertThrows(TandemException.class, () -> hasty.reason(text("dog")));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, error.code());
    }
  }

  @Test
  void cancellingTheFutureCancelsTheCall() throws Exception {
    try (FakeRouter router = FakeRouter.hanging();
        TandemClient client = router.client(LONG)) {
      CompletableFuture<?> answer = client.reasonAsync(text("dog"));
      while (router.calls.get() == 0) {
        Thread.onSpinWait();
      }
      answer.cancel(true);
      assertTrue(router.cancelled.await(60, TimeUnit.SECONDS));
    }
  }

  @Test
  void eachItemOfABatchHasItsOwnOutcome() throws Exception {
    try (FakeRouter router = new FakeRouter();
        TandemClient client = router.client(LONG)) {
      List<Outcome> outcomes = client.reasonBatch(List.of(text("dog"), ReasonRequest.getDefaultInstance(), text("cat")));
      assertEquals("dog", outcomes.get(0).response().getLabel());
      TandemException error = assertThrows(TandemException.class, () -> outcomes.get(1).response());
      assertEquals("INPUT_MISSING", error.reason());
      assertEquals("text", error.fieldViolations().get(0).field());
      assertEquals("cat", outcomes.get(2).response().getLabel());
    }
  }

  @Test
  void aStreamAnswersMoreRequestsThanMayWait() throws Exception {
    Iterator<ReasonRequest> requests = IntStream.range(0, 1_000).mapToObj(i -> text("" + i)).iterator();
    try (FakeRouter router = new FakeRouter();
        TandemClient client = router.client(LONG);
        Answers answers = client.reasonStream(requests)) {
      List<String> ids = new ArrayList<>();
      answers.forEach(answer -> ids.add(answer.requestId() + answer.outcome().response().getLabel()));
      assertEquals(IntStream.range(0, 1_000).mapToObj(i -> "" + i + i).toList(), ids);
    }
  }

  @Test
  void aStreamGoesOnAfterABadRequest() throws Exception {
    Iterator<ReasonRequest> requests = Stream.of(ReasonRequest.getDefaultInstance(), text("cat")).iterator();
    try (FakeRouter router = new FakeRouter();
        TandemClient client = router.client(LONG);
        Answers answers = client.reasonStream(requests)) {
      Iterator<StreamAnswer> each = answers.iterator();
      assertEquals("INPUT_MISSING", each.next().outcome().error().orElseThrow().reason());
      assertEquals("cat", each.next().outcome().response().getLabel());
      assertFalse(each.hasNext());
    }
  }

  @Test
  void aStreamTellsWhyItEnded() throws Exception {
    try (FakeRouter router = new FakeRouter(FakeRouter.refusal(Status.UNAVAILABLE, Duration.ZERO));
        TandemClient client = router.client(LONG);
        Answers answers = client.reasonStream(List.<ReasonRequest>of().iterator())) {
      TandemException error = assertThrows(TandemException.class, () -> answers.iterator().hasNext());
      assertEquals("ROUTER_FULL", error.reason());
    }
  }

  @Test
  void aSourceOfRequestsThatFailsEndsTheStream() throws Exception {
    Iterator<ReasonRequest> requests =
        Stream.of(1, 0).map(divisor -> text("" + 1 / divisor)).iterator();
    try (FakeRouter router = new FakeRouter();
        TandemClient client = router.client(LONG);
        Answers answers = client.reasonStream(requests)) {
      TandemException error = assertThrows(TandemException.class, () -> answers.forEach(answer -> {}));
      assertEquals(ArithmeticException.class, rootCause(error).getClass());
    }
  }

  @Test
  void closingAStreamCancelsIt() throws Exception {
    Iterator<ReasonRequest> endless = Stream.generate(() -> text("dog")).iterator();
    try (FakeRouter router = new FakeRouter();
        TandemClient client = router.client(LONG)) {
      try (Answers answers = client.reasonStream(endless)) {
        assertEquals("dog", answers.iterator().next().requestId());
      }
      assertTrue(router.cancelled.await(60, TimeUnit.SECONDS));
    }
  }

  @Test
  void aTensorIsLittleEndian() {
    Tensor tensor = Tensors.of(new int[] {1, 1}, new float[] {1});
    assertEquals(List.of(1, 1), tensor.getShapeList());
    assertArrayEquals(new byte[] {0, 0, (byte) 0x80, 0x3f}, tensor.getData().toByteArray());
  }

  private static Throwable rootCause(Throwable thrown) {
    return thrown.getCause() == null ? thrown : rootCause(thrown.getCause());
  }
}
