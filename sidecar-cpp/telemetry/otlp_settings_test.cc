#include "telemetry/otlp_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tandem {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

Expected<OtlpSettings> With(const std::map<std::string, std::string>& variables) {
  return ReadOtlpSettings([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

std::string TargetOf(const std::string& endpoint) {
  return With({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}}).value().target;
}

TEST(OtlpSettings, WithoutAnEndpointTracingIsOffWhateverElseIsSet) {
  EXPECT_EQ(With({}).value().target, "");
  EXPECT_EQ(With({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "nonsense"}}).value().target,
            "");
}

TEST(OtlpSettings, TracingCanBeSwitchedOff) {
  const std::pair<const std::string, std::string> endpoint{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://here:4317"};
  EXPECT_EQ(With({endpoint, {"OTEL_SDK_DISABLED", "True"}}).value().target, "");
  EXPECT_EQ(With({endpoint, {"OTEL_TRACES_EXPORTER", "none"}}).value().target, "");
  EXPECT_EQ(With({endpoint, {"OTEL_SDK_DISABLED", "no"}, {"OTEL_TRACES_EXPORTER", "otlp"}}).value().target,
            "here:4317");
}

TEST(OtlpSettings, AnEndpointIsAUrlOrASocket) {
  EXPECT_EQ(TargetOf("http://collector:4317"), "collector:4317");
  EXPECT_EQ(TargetOf("http://collector:4317/v1/traces"), "collector:4317");
  EXPECT_EQ(TargetOf("http://collector"), "collector:4317");
  EXPECT_EQ(TargetOf("http://[::1]"), "[::1]:4317");
  EXPECT_EQ(TargetOf("http://[::1]:5000"), "[::1]:5000");
  EXPECT_EQ(TargetOf("unix:/run/tandem/otlp.sock"), "unix:/run/tandem/otlp.sock");
  EXPECT_FALSE(With({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}}).value().tls);
  EXPECT_TRUE(With({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://a:1"}}).value().tls);
}

TEST(OtlpSettings, AnInvalidEndpointIsRefusedWithAdvice) {
  for (const char* endpoint :
       {"collector:4317", "ftp://collector", "http://", "http:///path", "unix:", "http://user:secret@collector:4317"}) {
    const auto settings = With({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}});
    ASSERT_FALSE(settings.ok()) << endpoint;
    EXPECT_THAT(settings.error().message, HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT must be http://host:port"));
    EXPECT_EQ(settings.error().message.find("secret"), std::string::npos);
  }
}

TEST(OtlpSettings, VariablesOfTracesTakePrecedence) {
  const auto settings = With({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:1"},
                              {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:2"},
                              {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"},
                              {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"},
                              {"OTEL_EXPORTER_OTLP_TIMEOUT", "1"},
                              {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"}});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings.value().target, "traces:2");
  EXPECT_EQ(settings.value().timeout.count(), 250);
}

TEST(OtlpSettings, AnotherProtocolIsRefusedAndTheAnswerSaysWhatToDo) {
  const auto settings =
      With({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}});
  ASSERT_FALSE(settings.ok());
  EXPECT_THAT(settings.error().message, HasSubstr("OTEL_EXPORTER_OTLP_PROTOCOL is \"http/protobuf\""));
  EXPECT_THAT(settings.error().message, HasSubstr("set it to grpc"));
}

TEST(OtlpSettings, TheServiceNameComesFromItsVariableThenTheResourceThenTheDefault) {
  const std::pair<const std::string, std::string> endpoint{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"};
  const std::pair<const std::string, std::string> resource{
      "OTEL_RESOURCE_ATTRIBUTES", "service.name=mine, deployment.environment = a%2Cb%20c,x=1,x=2"};
  EXPECT_EQ(With({endpoint}).value().service_name, "tandem-engine");
  EXPECT_EQ(With({endpoint, resource}).value().service_name, "mine");
  EXPECT_EQ(With({endpoint, resource, {"OTEL_SERVICE_NAME", "ours"}}).value().service_name, "ours");
  EXPECT_THAT(With({endpoint, resource}).value().resource,
              UnorderedElementsAre(Pair("deployment.environment", "a,b c"), Pair("x", "2")));
}

TEST(OtlpSettings, HeadersAreReadAndNeverShown) {
  const std::pair<const std::string, std::string> endpoint{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"};
  EXPECT_THAT(With({endpoint, {"OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=s%3Dcret"}}).value().headers,
              UnorderedElementsAre(Pair("api-key", "s=cret")));
  const auto bad = With({endpoint, {"OTEL_EXPORTER_OTLP_HEADERS", "secret"}});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message.find("secret"), std::string::npos);
}

TEST(OtlpSettings, LimitsAreNumbersInTheirRange) {
  const std::pair<const std::string, std::string> endpoint{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"};
  const auto settings = With({endpoint,
                              {"OTEL_BSP_SCHEDULE_DELAY", "200"},
                              {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
                              {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5000"}});
  EXPECT_EQ(settings.value().delay.count(), 200);
  EXPECT_EQ(settings.value().max_queue, 100u);
  EXPECT_EQ(settings.value().max_batch, 100u) << "a batch is never larger than the queue";
  for (const char* value : {"0", "-1", "5s", "1e3", "99999999999999999999"}) {
    EXPECT_FALSE(With({endpoint, {"OTEL_BSP_SCHEDULE_DELAY", value}}).ok()) << value;
  }
}

}  // namespace
}  // namespace tandem
