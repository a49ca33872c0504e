package com.tandem.client;

import java.time.Duration;
import java.util.Optional;

/**
 * Says when a failed call is sent again.
 *
 * <p>{@code UNAVAILABLE} and {@code RESOURCE_EXHAUSTED} are retried after the delay that the router names ({@code
 * google.rpc.RetryInfo}): it has refused the call, so nothing was done. {@code UNAVAILABLE} without it is retried with delays
 * that double, if the call may be carried out twice. No retry begins after the call's deadline.
 *
 * @param maxAttempts attempts of a call, including the first one; 1: no retry
 * @param firstDelay the longest delay before the first retry
 * @param maxDelay the longest delay before any retry, if the router names none
 */
public record RetryPolicy(int maxAttempts, Duration firstDelay, Duration maxDelay) {
  /** Four attempts, with delays of up to 100, 200 and 400 ms. */
  public static final RetryPolicy DEFAULT = new RetryPolicy(4, Duration.ofMillis(100), Duration.ofSeconds(2));

  /** One attempt. */
  public static final RetryPolicy NONE = new RetryPolicy(1, Duration.ZERO, Duration.ZERO);

  /**
   * Returns the delay before the next attempt; empty: do not retry.
   *
   * @param mayRepeat the call may be carried out twice
   * @param random 0 to 1, so that clients that were refused together do not retry together
   */
  Optional<Duration> delay(int failedAttempts, boolean mayRepeat, TandemException error, double random) {
    boolean retryable =
        switch (error.code()) {
          case UNAVAILABLE -> mayRepeat || error.retryAfter().isPresent();
          case RESOURCE_EXHAUSTED -> error.retryAfter().isPresent();
          default -> false;
        };
    if (!retryable || failedAttempts >= maxAttempts) {
      return Optional.empty();
    }
    if (error.retryAfter().isPresent()) {
      return error.retryAfter().map(delay -> times(delay, 1 + random / 5));
    }
    Duration longest = firstDelay;
    for (int retry = 1; retry < failedAttempts && longest.compareTo(maxDelay) < 0; retry++) {
      longest = longest.multipliedBy(2);
    }
    return Optional.of(times(longest.compareTo(maxDelay) < 0 ? longest : maxDelay, 0.5 + random / 2));
  }

  private static Duration times(Duration delay, double factor) {
    double nanos = (delay.getSeconds() * 1e9 + delay.getNano()) * factor;
    return Duration.ofNanos((long) nanos); // at most 292 years
  }
}
