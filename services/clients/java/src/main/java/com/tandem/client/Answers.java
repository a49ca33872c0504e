package com.tandem.client;

import com.tandem.v1.ReasonRequest;
import com.tandem.v1.ReasonStreamRequest;
import com.tandem.v1.ReasonStreamResponse;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The answers of {@link TandemClient#reasonStream}, in any order. Iterating waits for the next one, and throws {@link
 * TandemException} if the whole stream failed. Closing it cancels the unanswered requests.
 */
public final class Answers implements Iterable<StreamAnswer>, AutoCloseable {
  /** Limit on answers that wait for the caller. At the limit, flow control stops the router. */
  private static final int MAX_WAITING = 64;

  private sealed interface Event {
    record Answer(ReasonStreamResponse response) implements Event {}

    record End(TandemException error) implements Event {}
  }

  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Iterator<ReasonRequest> requests;
  private ClientCallStreamObserver<ReasonStreamRequest> call;

  Answers(Iterator<ReasonRequest> requests) {
    this.requests = requests;
  }

  /** The observer that the generated stub calls. */
  ClientResponseObserver<ReasonStreamRequest, ReasonStreamResponse> observer() {
    return new Observer();
  }

  @Override
  public Iterator<StreamAnswer> iterator() {
    return new Iterator<>() {
      private Event next;

      @Override
      public boolean hasNext() {
        if (next == null) {
          next = take();
        }
        if (next instanceof Event.End end && end.error() != null) {
          throw end.error();
        }
        return next instanceof Event.Answer;
      }

      @Override
      public StreamAnswer next() {
        if (!hasNext()) {
          throw new NoSuchElementException("all requests are answered");
        }
        ReasonStreamResponse response = ((Event.Answer) next).response();
        next = null;
        call.request(1);
        Outcome outcome = response.hasError() ? Outcome.of(response.getError()) : Outcome.of(response.getResult());
        return new StreamAnswer(response.getRequestId(), outcome);
      }
    };
  }

  private Event take() {
    try {
      return events.take();
    } catch (InterruptedException interrupted) {
      close();
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while waiting for an answer");
    }
  }

  @Override
  public void close() {
    call.cancel("the caller closed the stream", null);
  }

  private final class Observer implements ClientResponseObserver<ReasonStreamRequest, ReasonStreamResponse> {
    private boolean sentAll;

    @Override
    public void beforeStart(ClientCallStreamObserver<ReasonStreamRequest> started) {
      call = started;
      call.disableAutoRequestWithInitial(MAX_WAITING);
      call.setOnReadyHandler(this::send);
    }

    /** Sends while the router accepts requests; gRPC calls this again when it accepts more. */
    private void send() {
      try {
        while (!sentAll && call.isReady()) {
          if (requests.hasNext()) {
            call.onNext(ReasonStreamRequest.newBuilder().setRequest(requests.next()).build());
          } else {
            sentAll = true;
            call.onCompleted();
          }
        }
      } catch (RuntimeException thrown) {
        sentAll = true;
        call.cancel("the source of the requests failed", thrown);
      }
    }

    @Override
    public void onNext(ReasonStreamResponse response) {
      events.add(new Event.Answer(response));
    }

    @Override
    public void onError(Throwable thrown) {
      events.add(new Event.End(TandemException.of(thrown)));
    }

    @Override
    public void onCompleted() {
      events.add(new Event.End(null));
    }
  }
}
