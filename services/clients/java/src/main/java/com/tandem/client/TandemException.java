package com.tandem.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.tandem.v1.ReasonError;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Says why a call, or one input of a batch or a stream, has no answer. */
public final class TandemException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final long MAX_DELAY_SECONDS = 86_400;

  /**
   * A field of the request that is wrong.
   *
   * @param field path in the request, such as {@code encoding[17]}
   * @param description what is wrong with it
   */
  public record FieldViolation(String field, String description) {}

  private final Status.Code code;
  private final String reason;
  private final transient Map<String, String> metadata;
  private final transient List<FieldViolation> fieldViolations;
  private final Duration retryAfter;

  private TandemException(
      Status status,
      String reason,
      Map<String, String> metadata,
      List<FieldViolation> fieldViolations,
      Duration retryAfter,
      Throwable cause) {
    super(text(status, reason), cause);
    this.code = status.getCode();
    this.reason = reason;
    this.metadata = Map.copyOf(metadata);
    this.fieldViolations = List.copyOf(fieldViolations);
    this.retryAfter = retryAfter;
  }

  /** Returns the exception for an exception of gRPC. */
  static TandemException of(Throwable thrown) {
    if (thrown instanceof TandemException already) {
      return already;
    }
    Status status = Status.fromThrowable(thrown);
    com.google.rpc.Status details = StatusProto.fromThrowable(thrown);
    ErrorInfo info = ErrorInfo.getDefaultInstance();
    BadRequest badRequest = BadRequest.getDefaultInstance();
    Duration retryAfter = null;
    for (Any detail : details == null ? List.<Any>of() : details.getDetailsList()) {
      try {
        if (detail.is(ErrorInfo.class)) {
          info = detail.unpack(ErrorInfo.class);
        } else if (detail.is(BadRequest.class)) {
          badRequest = detail.unpack(BadRequest.class);
        } else if (detail.is(RetryInfo.class)) {
          retryAfter = toDuration(detail.unpack(RetryInfo.class).getRetryDelay());
        }
      } catch (InvalidProtocolBufferException damaged) {
        // The code and the message are enough without this detail.
        continue;
      }
    }
    List<FieldViolation> violations =
        badRequest.getFieldViolationsList().stream()
            .map(each -> new FieldViolation(each.getField(), each.getDescription()))
            .toList();
    return new TandemException(status, info.getReason(), info.getMetadataMap(), violations, retryAfter, thrown);
  }

  /** Returns the exception for one input of a batch or a stream. */
  static TandemException of(ReasonError error) {
    Status status = Status.fromCodeValue(error.getCode()).withDescription(error.getMessage());
    List<FieldViolation> violations =
        error.getField().isEmpty() ? List.of() : List.of(new FieldViolation(error.getField(), error.getMessage()));
    Duration retryAfter = error.getRetryAfterMs() == 0 ? null : Duration.ofMillis(error.getRetryAfterMs());
    return new TandemException(status, error.getReason(), Map.of(), violations, retryAfter, null);
  }

  /** The longest delay of a router that is accepted; longer ones are reduced to a day. */
  private static Duration toDuration(com.google.protobuf.Duration delay) {
    long seconds = Math.max(0, Math.min(delay.getSeconds(), MAX_DELAY_SECONDS));
    return Duration.ofSeconds(seconds, Math.max(0, delay.getNanos()));
  }

  private static String text(Status status, String reason) {
    String code = reason.isEmpty() ? status.getCode().name() : status.getCode() + " (" + reason + ")";
    return status.getDescription() == null ? code : code + ": " + status.getDescription();
  }

  /** Returns the gRPC status code. */
  public Status.Code code() {
    return code;
  }

  /**
   * Returns the router's reason ({@code google.rpc.ErrorInfo}), such as {@code INPUT_LENGTH}. Empty: the error does not
   * come from the router; for example, the connection failed.
   */
  public String reason() {
    return reason;
  }

  /** Returns details of the reason. {@code SESSION_STEP} has {@code step}, for example. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** Returns the fields of the request that are wrong ({@code google.rpc.BadRequest}). */
  public List<FieldViolation> fieldViolations() {
    return fieldViolations;
  }

  /**
   * Returns the delay after which the router expects to accept the call ({@code google.rpc.RetryInfo}). If set, the
   * router has refused the call, so nothing was done.
   */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
