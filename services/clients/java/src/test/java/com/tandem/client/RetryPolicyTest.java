package com.tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RetryPolicyTest {
  private static final RetryPolicy POLICY = RetryPolicy.DEFAULT;

  @Test
  void delaysDoubleUpToTheMaximum() {
    RetryPolicy endless = new RetryPolicy(Integer.MAX_VALUE, POLICY.firstDelay(), POLICY.maxDelay());
    TandemException lost = TandemException.of(Status.UNAVAILABLE.asRuntimeException());
    assertEquals(Optional.of(Duration.ofMillis(100)), endless.delay(1, true, lost, 1));
    assertEquals(Optional.of(Duration.ofMillis(200)), endless.delay(2, true, lost, 1));
    assertEquals(Optional.of(Duration.ofMillis(100)), endless.delay(2, true, lost, 0));
    assertEquals(Optional.of(POLICY.maxDelay()), endless.delay(1_000_000, true, lost, 1));
  }

  @Test
  void theLastAttemptIsFinal() {
    TandemException lost = TandemException.of(Status.UNAVAILABLE.asRuntimeException());
    assertTrue(POLICY.delay(3, true, lost, 1).isPresent());
    assertTrue(POLICY.delay(4, true, lost, 1).isEmpty());
  }

  @Test
  void theRoutersDelayCounts() {
    TandemException full = TandemException.of(FakeRouter.refusal(Status.RESOURCE_EXHAUSTED, Duration.ofMillis(500)));
    assertEquals(Optional.of(Duration.ofMillis(500)), POLICY.delay(1, true, full, 0));
    assertEquals(Optional.of(Duration.ofMillis(600)), POLICY.delay(1, true, full, 1));
  }

  @Test
  void aHostileDelayIsCut() {
    TandemException full = TandemException.of(FakeRouter.refusal(Status.UNAVAILABLE, Duration.ofSeconds(Long.MAX_VALUE)));
    assertEquals(Optional.of(Duration.ofDays(1)), POLICY.delay(1, true, full, 0));
  }

  @Test
  void whatARetryDoesNotHelpIsFinal() {
    for (Status status :
        new Status[] {
          Status.RESOURCE_EXHAUSTED, Status.INVALID_ARGUMENT, Status.DEADLINE_EXCEEDED, Status.INTERNAL, Status.ABORTED
        }) {
      assertTrue(POLICY.delay(1, true, TandemException.of(status.asRuntimeException()), 0).isEmpty(), status.toString());
    }
  }

  @Test
  void aCallThatMayNotRepeatIsSentAgainOnlyIfItWasRefused() {
    TandemException lost = TandemException.of(Status.UNAVAILABLE.asRuntimeException());
    TandemException refused = TandemException.of(FakeRouter.refusal(Status.UNAVAILABLE, Duration.ZERO));
    assertTrue(POLICY.delay(1, false, lost, 0).isEmpty());
    assertTrue(POLICY.delay(1, false, refused, 0).isPresent());
  }
}
