package com.tandem.client;

import com.tandem.v1.ReasonError;
import com.tandem.v1.ReasonResponse;
import java.util.Optional;

/** The result of one input of a batch or a stream: an answer or an error. The others do not depend on it. */
public final class Outcome {
  private final ReasonResponse response;
  private final TandemException error;

  private Outcome(ReasonResponse response, TandemException error) {
    this.response = response;
    this.error = error;
  }

  static Outcome of(ReasonResponse response) {
    return new Outcome(response, null);
  }

  static Outcome of(ReasonError error) {
    return new Outcome(null, TandemException.of(error));
  }

  /**
   * Returns the answer.
   *
   * @throws TandemException if there is an error instead
   */
  public ReasonResponse response() {
    if (error != null) {
      throw error;
    }
    return response;
  }

  /** Returns the error, if there is one. */
  public Optional<TandemException> error() {
    return Optional.ofNullable(error);
  }
}
