package com.tandem.client;

import com.tandem.v1.PingRequest;
import com.tandem.v1.PingResponse;
import com.tandem.v1.ReasonBatchRequest;
import com.tandem.v1.ReasonRequest;
import com.tandem.v1.ReasonResponse;
import com.tandem.v1.ReasoningServiceGrpc;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A client of one router. It may be used by many threads at once.
 *
 * <pre>{@code
 * try (TandemClient client = TandemClient.connect("127.0.0.1:50051")) {
 *   ReasonResponse answer = client.reason(ReasonRequest.newBuilder().setText("a small furry animal").build());
 *   System.out.println(answer.getLabel() + " " + Digests.hex(answer.getStateDigest()));
 * }
 * }</pre>
 *
 * <p>Methods throw {@link TandemException}; futures fail with it.
 */
public final class TandemClient implements AutoCloseable {
  private final ManagedChannel connection;
  private final Channel channel;
  private final Duration deadline;
  private final RetryPolicy retry;

  private TandemClient(ManagedChannel connection, Channel channel, Duration deadline, RetryPolicy retry) {
    this.connection = connection;
    this.channel = channel;
    this.deadline = deadline;
    this.retry = retry;
  }

  /** Returns a client of the router at {@code address}, such as {@code 127.0.0.1:50051}. The first call connects. */
  public static TandemClient connect(String address) {
    return builder(address).build();
  }

  /** Returns a builder of a client of the router at {@code address}. */
  public static Builder builder(String address) {
    return new Builder(address);
  }

  /** Sets how a client calls. */
  public static final class Builder {
    /** Rasters and batches are larger than gRPC's 4 MiB. */
    private static final int MAX_ANSWER_BYTES = 64 << 20;

    private final String address;
    private ChannelCredentials credentials = InsecureChannelCredentials.create();
    private Duration deadline = Duration.ofSeconds(10);
    private RetryPolicy retry = RetryPolicy.DEFAULT;
    private String token = "";

    private Builder(String address) {
      this.address = address;
    }

    /** Sets the deadline of each call, retries included; 10 s unless set. Streams have none. */
    public Builder deadline(Duration deadline) {
      this.deadline = deadline;
      return this;
    }

    /** Sets the retry policy; {@link RetryPolicy#DEFAULT} unless set. */
    public Builder retry(RetryPolicy retry) {
      this.retry = retry;
      return this;
    }

    /** Sets TLS, for example {@code TlsChannelCredentials.create()}; plain text unless set. */
    public Builder credentials(ChannelCredentials credentials) {
      this.credentials = credentials;
      return this;
    }

    /** Sets the caller's token (the router's setting {@code auth.tokens}). Use it with TLS. */
    public Builder token(String token) {
      this.token = token;
      return this;
    }

    /** Returns the client. */
    public TandemClient build() {
      return build(Grpc.newChannelBuilder(address, credentials));
    }

    TandemClient build(ManagedChannelBuilder<?> builder) {
      // RetryPolicy decides alone.
      ManagedChannel connection = builder.disableRetry().maxInboundMessageSize(MAX_ANSWER_BYTES).build();
      Channel channel = connection;
      if (!token.isEmpty()) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        channel = ClientInterceptors.intercept(connection, MetadataUtils.newAttachHeadersInterceptor(headers));
      }
      return new TandemClient(connection, channel, deadline, retry);
    }
  }

  /** Returns the same client with another deadline for each call. Closing either closes both. */
  public TandemClient withDeadline(Duration deadline) {
    return new TandemClient(connection, channel, deadline, retry);
  }

  /** Checks that the router answers. It asks no engine. */
  public PingResponse ping() {
    return await(start(ReasoningServiceGrpc.getPingMethod(), PingRequest.getDefaultInstance(), true));
  }

  /**
   * One input to one conclusion.
   *
   * <p>A message of a session that sets no {@code expected_step} is retried only if the router refused it: in other
   * cases the router may have computed it.
   */
  public ReasonResponse reason(ReasonRequest request) {
    return await(reasonAsync(request));
  }

  /** As {@link #reason}, without waiting. */
  public CompletableFuture<ReasonResponse> reasonAsync(ReasonRequest request) {
    return start(ReasoningServiceGrpc.getReasonMethod(), request, mayRepeat(request));
  }

  /** Many inputs in one call. Each has its own answer or error, in the order of the requests. */
  public List<Outcome> reasonBatch(List<ReasonRequest> requests) {
    return await(reasonBatchAsync(requests));
  }

  /** As {@link #reasonBatch}, without waiting. */
  public CompletableFuture<List<Outcome>> reasonBatchAsync(List<ReasonRequest> requests) {
    boolean mayRepeat = requests.stream().allMatch(TandemClient::mayRepeat);
    ReasonBatchRequest batch = ReasonBatchRequest.newBuilder().addAllRequests(requests).build();
    return start(ReasoningServiceGrpc.getReasonBatchMethod(), batch, mayRepeat)
        .thenApply(
            response ->
                response.getResultsList().stream()
                    .map(each -> each.hasError() ? Outcome.of(each.getError()) : Outcome.of(each.getResult()))
                    .toList());
  }

  /**
   * Many inputs over one stream. Answers arrive in any order; give each request an id to tell them apart.
   *
   * <p>A thread of gRPC takes the requests, as fast as the router does. A stream has no deadline, and is not retried:
   * send unanswered requests again.
   */
  public Answers reasonStream(Iterator<ReasonRequest> requests) {
    Answers answers = new Answers(requests);
    ReasoningServiceGrpc.newStub(channel).reasonStream(answers.observer());
    return answers;
  }

  /**
   * Calls an rpc of any service with this client's deadline. Only a call that the router refused is retried. Example:
   * {@code client.call(ModelServiceGrpc.getListModelsMethod(), ListModelsRequest.getDefaultInstance())}.
   */
  public <Q, A> A call(MethodDescriptor<Q, A> method, Q request) {
    return await(callAsync(method, request));
  }

  /** As {@link #call}, without waiting. */
  public <Q, A> CompletableFuture<A> callAsync(MethodDescriptor<Q, A> method, Q request) {
    return start(method, request, false);
  }

  /** Returns the connection, for stubs of {@code com.tandem.v1}: without deadline, without retries. */
  public Channel channel() {
    return channel;
  }

  /** Ends the connection, and with it all calls and streams. */
  @Override
  public void close() {
    connection.shutdownNow();
  }

  private <Q, A> CompletableFuture<A> start(MethodDescriptor<Q, A> method, Q request, boolean mayRepeat) {
    return new UnaryCall<>(channel, method, request, retry, deadline, mayRepeat).start();
  }

  private static boolean mayRepeat(ReasonRequest request) {
    return !request.hasSession() || request.getSession().hasExpectedStep();
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException failed) {
      throw TandemException.of(failed.getCause());
    }
  }
}
