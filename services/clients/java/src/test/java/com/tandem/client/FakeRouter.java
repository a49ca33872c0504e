package com.tandem.client;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.tandem.v1.ReasonBatchRequest;
import com.tandem.v1.ReasonBatchResponse;
import com.tandem.v1.ReasonBatchResult;
import com.tandem.v1.ReasonError;
import com.tandem.v1.ReasonRequest;
import com.tandem.v1.ReasonResponse;
import com.tandem.v1.ReasonStreamRequest;
import com.tandem.v1.ReasonStreamResponse;
import com.tandem.v1.ReasoningServiceGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A fake router, for faults that a real one rarely has. It answers with the request's text as the label. */
final class FakeRouter extends ReasoningServiceGrpc.ReasoningServiceImplBase implements AutoCloseable {
  final AtomicInteger calls = new AtomicInteger();
  final CountDownLatch cancelled = new CountDownLatch(1);
  private final Queue<StatusRuntimeException> failures = new ArrayDeque<>();
  private final Server server;
  private boolean hangs;

  FakeRouter(StatusRuntimeException... failures) throws IOException {
    this.failures.addAll(Arrays.asList(failures));
    server = InProcessServerBuilder.forName(InProcessServerBuilder.generateName()).addService(this).build().start();
  }

  static FakeRouter hanging() throws IOException {
    FakeRouter router = new FakeRouter();
    router.hangs = true;
    return router;
  }

  TandemClient client(Duration deadline) {
    String name = ((io.grpc.inprocess.InProcessSocketAddress) server.getListenSockets().get(0)).getName();
    return TandemClient.builder("").deadline(deadline).build(InProcessChannelBuilder.forName(name));
  }

  /** The error with which the router refuses a call. */
  static StatusRuntimeException refusal(Status status, Duration retryAfter) {
    var delay = com.google.protobuf.Duration.newBuilder().setSeconds(retryAfter.getSeconds()).setNanos(retryAfter.getNano());
    var violation = BadRequest.FieldViolation.newBuilder().setField("encoding").setDescription("got 3 numbers");
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(status.getCode().value())
            .setMessage("what happened")
            .addDetails(Any.pack(ErrorInfo.newBuilder().setReason("ROUTER_FULL").putMetadata("step", "16").build()))
            .addDetails(Any.pack(BadRequest.newBuilder().addFieldViolations(violation).build()))
            .addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()))
            .build());
  }

  @Override
  public synchronized void reason(ReasonRequest request, StreamObserver<ReasonResponse> response) {
    calls.incrementAndGet();
    if (hangs) {
      ((io.grpc.stub.ServerCallStreamObserver<?>) response).setOnCancelHandler(cancelled::countDown);
    } else if (!failures.isEmpty()) {
      response.onError(failures.remove());
    } else {
      response.onNext(answer(request));
      response.onCompleted();
    }
  }

  @Override
  public void reasonBatch(ReasonBatchRequest request, StreamObserver<ReasonBatchResponse> response) {
    ReasonBatchResponse.Builder answer = ReasonBatchResponse.newBuilder();
    for (ReasonRequest each : request.getRequestsList()) {
      answer.addResults(
          each.getText().isEmpty()
              ? ReasonBatchResult.newBuilder().setError(missing())
              : ReasonBatchResult.newBuilder().setResult(answer(each)));
    }
    response.onNext(answer.build());
    response.onCompleted();
  }

  @Override
  public StreamObserver<ReasonStreamRequest> reasonStream(StreamObserver<ReasonStreamResponse> response) {
    return new StreamObserver<>() {
      @Override
      public void onNext(ReasonStreamRequest message) {
        calls.incrementAndGet();
        ReasonRequest request = message.getRequest();
        ReasonStreamResponse.Builder answer = ReasonStreamResponse.newBuilder().setRequestId(request.getRequestId());
        response.onNext(
            (request.getText().isEmpty() ? answer.setError(missing()) : answer.setResult(answer(request))).build());
      }

      @Override
      public void onError(Throwable thrown) {
        cancelled.countDown();
      }

      @Override
      public void onCompleted() {
        if (failures.isEmpty()) {
          response.onCompleted();
        } else {
          response.onError(failures.remove());
        }
      }
    };
  }

  private static ReasonResponse answer(ReasonRequest request) {
    return ReasonResponse.newBuilder().setLabel(request.getText()).setStateDigest(-1).build();
  }

  private static ReasonError missing() {
    return ReasonError.newBuilder().setCode(3).setReason("INPUT_MISSING").setMessage("no input").setField("text").build();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
