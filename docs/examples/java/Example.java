import com.tandem.client.Answers;
import com.tandem.client.Digests;
import com.tandem.client.StreamAnswer;
import com.tandem.client.TandemClient;
import com.tandem.client.TandemException;
import com.tandem.v1.ReasonRequest;
import com.tandem.v1.ReasonResponse;
import java.util.List;

/** One Reason, one stream, one error. From the repository's folder: {@code bash docs/examples/java/run}. */
public final class Example {
  private static final List<String> TEXTS =
      List.of("a small furry animal", "a musical instrument with strings", "to run very fast");

  private static ReasonRequest request(String text) {
    return ReasonRequest.newBuilder().setRequestId(text).setText(text).build();
  }

  public static void main(String[] arguments) {
    try (TandemClient client = TandemClient.connect(arguments.length > 0 ? arguments[0] : "127.0.0.1:50051")) {
      ReasonResponse answer = client.reason(request(TEXTS.get(0)));
      System.out.println("answer: " + answer.getLabel() + " " + Digests.hex(answer.getStateDigest()));

      int count = 0;
      String last = "";
      try (Answers answers = client.reasonStream(TEXTS.stream().map(Example::request).iterator())) {
        for (StreamAnswer each : answers) {
          ReasonResponse response = each.outcome().response();
          count++;
          // Answers come in any order: the request's id tells them apart.
          if (each.requestId().equals(TEXTS.get(TEXTS.size() - 1))) {
            last = Digests.hex(response.getStateDigest());
          }
        }
      }
      System.out.println("stream: " + count + " answers, " + last + " of the last");

      client.reason(ReasonRequest.newBuilder().addAllEncoding(List.of(1f, 2f, 3f)).build());
    } catch (TandemException error) {
      System.out.println("error: " + error.reason());
    }
  }
}
