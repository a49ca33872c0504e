//! The client against a fake router, for faults that a real one rarely has.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt};

use crate::Client;
use crate::v1::reasoning_service_client::ReasoningServiceClient;
use crate::v1::reasoning_service_server::{ReasoningService, ReasoningServiceServer};
use crate::v1::{
    PingRequest, PingResponse, ReasonBatchRequest, ReasonBatchResponse, ReasonBatchResult, ReasonError, ReasonRequest,
    ReasonResponse, ReasonStreamRequest, ReasonStreamResponse, Session, reason_batch_result, reason_stream_response,
};

/// Returns the queued statuses of a test first, then answers with the request's text as the label.
#[derive(Clone, Default)]
struct FakeRouter {
    failures: Arc<Mutex<VecDeque<Status>>>,
    tokens: Arc<Mutex<Vec<Option<String>>>>,
    hangs: bool,
}

impl FakeRouter {
    fn failing(failures: impl IntoIterator<Item = Status>) -> Self {
        Self { failures: Arc::new(Mutex::new(failures.into_iter().collect())), ..Self::default() }
    }

    /// Serves it on a port that the system chooses.
    async fn client(&self) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server::builder().add_service(ReasoningServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Client::new(&address).unwrap()
    }

    fn calls(&self) -> usize {
        self.tokens.lock().unwrap().len()
    }
}

#[tonic::async_trait]
impl ReasoningService for FakeRouter {
    type ReasonStreamStream = Pin<Box<dyn Stream<Item = Result<ReasonStreamResponse, Status>> + Send>>;

    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or_else(|| Ok(Response::new(PingResponse { message: "pong".into(), ..Default::default() })), Err)
    }

    async fn reason(&self, request: Request<ReasonRequest>) -> Result<Response<ReasonResponse>, Status> {
        let token = request.metadata().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        self.tokens.lock().unwrap().push(token);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or_else(|| Ok(Response::new(answer(request.into_inner()))), Err)
    }

    async fn reason_batch(
        &self,
        request: Request<ReasonBatchRequest>,
    ) -> Result<Response<ReasonBatchResponse>, Status> {
        let outcome = |request: ReasonRequest| {
            if request.text.is_empty() {
                reason_batch_result::Outcome::Error(missing())
            } else {
                reason_batch_result::Outcome::Result(answer(request))
            }
        };
        let results = request.into_inner().requests.into_iter();
        let results = results.map(|each| ReasonBatchResult { outcome: Some(outcome(each)) }).collect();
        Ok(Response::new(ReasonBatchResponse { results, ..Default::default() }))
    }

    async fn reason_stream(
        &self,
        requests: Request<Streaming<ReasonStreamRequest>>,
    ) -> Result<Response<Self::ReasonStreamStream>, Status> {
        let failures = self.failures.clone();
        let answers = requests.into_inner().map(move |request| {
            let request = request?.request.unwrap_or_default();
            let request_id = request.request_id.clone();
            let outcome = match request.text.as_str() {
                "fail" => return Err(failures.lock().unwrap().pop_front().unwrap()),
                "" => reason_stream_response::Outcome::Error(missing()),
                _ => reason_stream_response::Outcome::Result(answer(request)),
            };
            Ok(ReasonStreamResponse { request_id, outcome: Some(outcome), ..Default::default() })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

fn answer(request: ReasonRequest) -> ReasonResponse {
    ReasonResponse { label: request.text, ..Default::default() }
}

fn missing() -> ReasonError {
    ReasonError {
        code: 3,
        reason: "INPUT_MISSING".into(),
        message: "no input".into(),
        field: "text".into(),
        retry_after_ms: 0,
    }
}

fn text(text: &str) -> ReasonRequest {
    ReasonRequest { request_id: text.into(), text: text.into(), ..Default::default() }
}

fn full(retry_after: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info("ROUTER_FULL", "tandem", []);
    details.set_retry_info(Some(retry_after));
    Status::with_error_details(Code::ResourceExhausted, "full", details)
}

#[tokio::test]
async fn answers() {
    let client = FakeRouter::default().client().await;
    assert_eq!(client.ping().await.unwrap().message, "pong");
    assert_eq!(client.reason(text("dog")).await.unwrap().label, "dog");
}

#[tokio::test]
async fn a_call_may_move_to_another_task() {
    let client = FakeRouter::default().client().await;
    let answer = tokio::spawn(async move { client.reason(text("dog")).await });
    assert_eq!(answer.await.unwrap().unwrap().label, "dog");
}

#[tokio::test]
async fn retries_what_the_router_refuses_for_a_moment() {
    let router = FakeRouter::failing([full(Duration::from_millis(1)), full(Duration::from_millis(1))]);
    let client = router.client().await;
    assert_eq!(client.reason(text("dog")).await.unwrap().label, "dog");
    assert_eq!(router.calls(), 3);
}

#[tokio::test]
async fn a_session_message_that_may_have_been_computed_is_not_sent_again() {
    let router = FakeRouter::failing([Status::unavailable("connection lost")]);
    let client = router.client().await;
    let session = Session { id: "robot-7".into(), ..Default::default() };
    let request = ReasonRequest { session: Some(session), ..text("dog") };
    assert_eq!(client.reason(request).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(router.calls(), 1);
}

#[tokio::test]
async fn ends_a_call_at_its_deadline() {
    let router = FakeRouter { hangs: true, ..Default::default() };
    let client = router.client().await.deadline(Duration::from_millis(20));
    assert_eq!(client.reason(text("dog")).await.unwrap_err().code, Code::DeadlineExceeded);
}

#[tokio::test]
async fn an_rpc_of_another_service_is_retried_only_if_it_was_refused() {
    let refused = full(Duration::from_millis(1));
    for (failure, retried) in [(refused, true), (Status::unavailable("connection lost"), false)] {
        let client = FakeRouter::failing([failure]).client().await;
        let ping = async |service, request| ReasoningServiceClient::new(service).ping(request).await;
        assert_eq!(client.call(PingRequest {}, ping).await.is_ok(), retried);
    }
}

#[tokio::test]
async fn sends_its_token() {
    let router = FakeRouter::default();
    let client = router.client().await;
    client.token("secret").unwrap().reason(text("dog")).await.unwrap();
    client.reason(text("dog")).await.unwrap();
    assert_eq!(*router.tokens.lock().unwrap(), [Some("Bearer secret".to_owned()), None]);
    assert_eq!(client.token("line\nbreak").unwrap_err().code, Code::InvalidArgument);
}

#[tokio::test]
async fn each_item_of_a_batch_has_its_own_outcome() {
    let client = FakeRouter::default().client().await;
    let outcomes = client.reason_batch(vec![text("dog"), text(""), text("cat")]).await.unwrap();
    let outcomes: Vec<_> = outcomes.into_iter().map(|each| each.map(|answer| answer.label)).collect();
    assert_eq!(outcomes[0].as_deref(), Ok("dog"));
    assert_eq!(outcomes[1].as_ref().unwrap_err().reason, "INPUT_MISSING");
    assert_eq!(outcomes[2].as_deref(), Ok("cat"));
}

#[tokio::test]
async fn a_stream_goes_on_after_a_bad_request() {
    let client = FakeRouter::default().client().await;
    let requests = tokio_stream::iter([text("dog"), text(""), text("cat")]);
    let answers: Vec<_> = client.reason_stream(requests).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(answers[0].request_id, "dog");
    assert_eq!(answers[1].outcome.as_ref().unwrap_err().fields[0].field, "text");
    assert_eq!(answers[2].outcome.as_ref().unwrap().label, "cat");
    assert_eq!(answers.len(), 3);
}

#[tokio::test]
async fn a_stream_tells_why_it_ended() {
    let client = FakeRouter::failing([full(Duration::ZERO)]).client().await;
    let mut answers = client.reason_stream(tokio_stream::iter([text("dog"), text("fail")])).await.unwrap();
    assert_eq!(answers.next_answer().await.unwrap().unwrap().request_id, "dog");
    assert_eq!(answers.next_answer().await.unwrap_err().reason, "ROUTER_FULL");
    assert!(answers.next_answer().await.unwrap().is_none());
}

#[tokio::test]
async fn an_address_without_a_router_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = Client::new(&address).unwrap().deadline(Duration::from_millis(200));
    assert_eq!(client.ping().await.unwrap_err().code, Code::Unavailable);
    assert_eq!(Client::new("no address").unwrap_err().code, Code::InvalidArgument);
}
