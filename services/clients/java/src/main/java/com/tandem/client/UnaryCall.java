package com.tandem.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** One call with its retries. Cancelling the future cancels the attempt that runs. */
final class UnaryCall<Q, A> {
  private final Channel channel;
  private final MethodDescriptor<Q, A> method;
  private final Q request;
  private final RetryPolicy retry;
  private final Deadline deadline;
  private final boolean mayRepeat;
  private final CompletableFuture<A> result = new CompletableFuture<>();
  private int attempts;

  UnaryCall(
      Channel channel, MethodDescriptor<Q, A> method, Q request, RetryPolicy retry, Duration deadline, boolean mayRepeat) {
    this.channel = channel;
    this.method = method;
    this.request = request;
    this.retry = retry;
    this.deadline = Deadline.after(deadline.toNanos(), TimeUnit.NANOSECONDS);
    this.mayRepeat = mayRepeat;
  }

  CompletableFuture<A> start() {
    attempt();
    return result;
  }

  private void attempt() {
    if (result.isDone()) {
      return; // cancelled
    }
    attempts++;
    ClientCall<Q, A> call = channel.newCall(method, CallOptions.DEFAULT.withDeadline(deadline));
    result.whenComplete(
        (answer, thrown) -> {
          if (result.isCancelled()) {
            call.cancel("the caller cancelled the call", null);
          }
        });
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new StreamObserver<>() {
          private A answer;

          @Override
          public void onNext(A answer) {
            this.answer = answer;
          }

          @Override
          public void onError(Throwable thrown) {
            retryOrFail(TandemException.of(thrown));
          }

          @Override
          public void onCompleted() {
            if (answer == null) {
              onError(Status.INTERNAL.withDescription("the router sent no answer").asRuntimeException());
            } else {
              result.complete(answer);
            }
          }
        });
  }

  private void retryOrFail(TandemException error) {
    Optional<Duration> delay = retry.delay(attempts, mayRepeat, error, ThreadLocalRandom.current().nextDouble());
    if (delay.isEmpty() || delay.get().toNanos() >= deadline.timeRemaining(TimeUnit.NANOSECONDS)) {
      result.completeExceptionally(error);
      return;
    }
    CompletableFuture.delayedExecutor(delay.get().toNanos(), TimeUnit.NANOSECONDS).execute(this::attempt);
  }
}
