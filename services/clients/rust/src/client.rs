use std::time::Duration;

use tokio_stream::{Stream, StreamExt};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
#[cfg(feature = "tls")]
use tonic::transport::ClientTlsConfig;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::answers::batch_outcome;
use crate::retry::Repeat;
use crate::v1::reasoning_service_client::ReasoningServiceClient;
use crate::v1::{PingRequest, PingResponse, ReasonBatchRequest, ReasonRequest, ReasonResponse, ReasonStreamRequest};
use crate::{Answers, Error, RetryPolicy};

/// The default deadline of a call.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// The largest accepted answer: rasters and batches may exceed tonic's default of 4 MiB.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// The connection with the caller's token, for the generated clients of [`v1`](crate::v1).
pub type Service = InterceptedService<Channel, Bearer>;

/// Adds the caller's token to each call.
#[derive(Clone, Debug, Default)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A client of one router. Clones are cheap and share its connection.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    bearer: Bearer,
    deadline: Duration,
    retry: RetryPolicy,
}

impl Client {
    /// A client of the router at `address`, such as `127.0.0.1:50051`, without TLS. The first call connects. Call it within
    /// a Tokio runtime.
    ///
    /// # Errors
    ///
    /// `address` is not `HOST:PORT`.
    pub fn new(address: &str) -> Result<Self, Error> {
        Ok(Self::with_channel(endpoint("http", address)?.connect_lazy()))
    }

    /// As [`new`](Self::new), with TLS.
    ///
    /// # Errors
    ///
    /// `address` is not `HOST:PORT`, or a certificate cannot be read.
    #[cfg(feature = "tls")]
    pub fn tls(address: &str, config: ClientTlsConfig) -> Result<Self, Error> {
        let endpoint = endpoint("https", address)?.tls_config(config);
        let endpoint = endpoint.map_err(|error| Error::new(Code::InvalidArgument, error.to_string()))?;
        Ok(Self::with_channel(endpoint.connect_lazy()))
    }

    /// A client on your own channel, for example on a Unix socket.
    #[must_use]
    pub fn with_channel(channel: Channel) -> Self {
        Self { channel, bearer: Bearer::default(), deadline: DEFAULT_DEADLINE, retry: RetryPolicy::default() }
    }

    /// The same client with this deadline for each call, retries included; 10 s unless set. Streams have none.
    #[must_use]
    pub fn deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The same client with this retry policy.
    #[must_use]
    pub fn retry(&self, retry: RetryPolicy) -> Self {
        Self { retry, ..self.clone() }
    }

    /// The same client as a caller of the router's setting `auth.tokens`. Use it with TLS.
    ///
    /// # Errors
    ///
    /// `token` has characters that a header cannot carry.
    pub fn token(&self, token: &str) -> Result<Self, Error> {
        let invalid = |_| Error::new(Code::InvalidArgument, "the token has characters other than printable ASCII");
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(invalid)?;
        value.set_sensitive(true);
        Ok(Self { bearer: Bearer(Some(value)), ..self.clone() })
    }

    /// Checks that the router answers. It asks no engine.
    ///
    /// # Errors
    ///
    /// The router did not answer.
    pub async fn ping(&self) -> Result<PingResponse, Error> {
        let call = async |service, request| reasoning(service).ping(request).await;
        self.run(Repeat::Safe, PingRequest {}, call).await
    }

    /// One input to one conclusion.
    ///
    /// A message of a session that sets no `expected_step` is retried only if the router refused it: in other cases the
    /// router may have computed it.
    ///
    /// # Errors
    ///
    /// As `ReasoningService.Reason` lists them.
    pub async fn reason(&self, request: ReasonRequest) -> Result<ReasonResponse, Error> {
        let repeat = repeat(&request);
        self.run(repeat, request, async |service, request| reasoning(service).reason(request).await).await
    }

    /// Many inputs in one call. Each has its own result or error, in the order of the requests.
    ///
    /// # Errors
    ///
    /// The call as a whole failed.
    pub async fn reason_batch(
        &self,
        requests: Vec<ReasonRequest>,
    ) -> Result<Vec<Result<ReasonResponse, Error>>, Error> {
        let safe = requests.iter().all(|each| repeat(each) == Repeat::Safe);
        let repeat = if safe { Repeat::Safe } else { Repeat::IfRefused };
        let request = ReasonBatchRequest { requests };
        let call = async |service, request| reasoning(service).reason_batch(request).await;
        let response: crate::v1::ReasonBatchResponse = self.run(repeat, request, call).await?;
        Ok(response.results.into_iter().map(|each| batch_outcome(each.outcome)).collect())
    }

    /// Many inputs over one stream. Answers arrive in any order; give each request an id to tell them apart. The
    /// router's flow control limits how fast `requests` is read.
    ///
    /// A stream has no deadline, and is not retried: wrap it in `tokio::time::timeout`, and send unanswered requests
    /// again.
    ///
    /// # Errors
    ///
    /// The stream could not be opened.
    pub async fn reason_stream<S>(&self, requests: S) -> Result<Answers, Error>
    where
        S: Stream<Item = ReasonRequest> + Send + 'static,
    {
        let requests = requests.map(|request| ReasonStreamRequest { request: Some(request) });
        Ok(Answers::new(reasoning(self.service()).reason_stream(requests).await?.into_inner()))
    }

    /// Calls an rpc of any service with this client's deadline. Only a call that the router refused is retried.
    ///
    /// ```no_run
    /// # async fn list(client: tandem_snn::Client) -> Result<(), tandem_snn::Error> {
    /// use tandem_snn::v1::{ListModelsRequest, model_service_client::ModelServiceClient};
    ///
    /// let models = client
    ///     .call(ListModelsRequest::default(), async |service, request| {
    ///         ModelServiceClient::new(service).list_models(request).await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The last attempt's.
    pub async fn call<Q, A, F>(&self, request: Q, rpc: F) -> Result<A, Error>
    where
        Q: Clone,
        F: AsyncFn(Service, Request<Q>) -> Result<Response<A>, Status>,
    {
        self.run(Repeat::IfRefused, request, rpc).await
    }

    /// The connection, for a generated client of [`v1`](crate::v1): without deadline, without retries.
    #[must_use]
    pub fn service(&self) -> Service {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    async fn run<Q, A, F>(&self, repeat: Repeat, message: Q, rpc: F) -> Result<A, Error>
    where
        Q: Clone,
        F: AsyncFn(Service, Request<Q>) -> Result<Response<A>, Status>,
    {
        let rpc = &rpc;
        let attempt = |left: Duration| {
            let mut request = Request::new(message.clone());
            request.set_timeout(left);
            async move { rpc(self.service(), request).await.map(Response::into_inner) }
        };
        self.retry.run(self.deadline, repeat, attempt).await
    }
}

fn endpoint(scheme: &str, address: &str) -> Result<Endpoint, Error> {
    Endpoint::from_shared(format!("{scheme}://{address}"))
        .map_err(|_| Error::new(Code::InvalidArgument, format!("address \"{address}\" is not HOST:PORT")))
}

fn reasoning(service: Service) -> ReasoningServiceClient<Service> {
    ReasoningServiceClient::new(service).max_decoding_message_size(MAX_ANSWER_BYTES)
}

fn repeat(request: &ReasonRequest) -> Repeat {
    match &request.session {
        Some(session) if session.expected_step.is_none() => Repeat::IfRefused,
        _ => Repeat::Safe,
    }
}
