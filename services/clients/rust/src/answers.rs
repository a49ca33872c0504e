use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Streaming};

use crate::Error;
use crate::v1::{ReasonResponse, ReasonStreamResponse, reason_batch_result, reason_stream_response};

/// The answers of [`Client::reason_stream`](crate::Client::reason_stream), in any order.
///
/// Dropping it cancels the unanswered requests.
#[derive(Debug)]
pub struct Answers {
    stream: Streaming<ReasonStreamResponse>,
}

/// The answer to one request of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamAnswer {
    /// The request's id, or the id that the router gave it.
    pub request_id: String,
    /// The result of the request. An error here does not end the stream.
    pub outcome: Result<ReasonResponse, Error>,
}

impl Answers {
    pub(crate) fn new(stream: Streaming<ReasonStreamResponse>) -> Self {
        Self { stream }
    }

    /// Waits for the next answer. `None`: all requests are answered. An error has ended the stream.
    ///
    /// # Errors
    ///
    /// The whole stream failed: requests without an answer get none.
    pub async fn next_answer(&mut self) -> Result<Option<StreamAnswer>, Error> {
        self.next().await.transpose()
    }
}

impl Stream for Answers {
    type Item = Result<StreamAnswer, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.stream).poll_next(context);
        next.map(|item| item.map(|result| result.map(StreamAnswer::from).map_err(Error::from)))
    }
}

impl From<ReasonStreamResponse> for StreamAnswer {
    fn from(response: ReasonStreamResponse) -> Self {
        let outcome = match response.outcome {
            Some(reason_stream_response::Outcome::Result(result)) => Ok(result),
            Some(reason_stream_response::Outcome::Error(error)) => Err(error.into()),
            None => Err(empty()),
        };
        Self { request_id: response.request_id, outcome }
    }
}

/// The result of one item of a batch.
pub(crate) fn batch_outcome(outcome: Option<reason_batch_result::Outcome>) -> Result<ReasonResponse, Error> {
    match outcome {
        Some(reason_batch_result::Outcome::Result(result)) => Ok(result),
        Some(reason_batch_result::Outcome::Error(error)) => Err(error.into()),
        None => Err(empty()),
    }
}

fn empty() -> Error {
    Error::new(Code::Internal, "the answer has neither a result nor an error; update the client or the router")
}
