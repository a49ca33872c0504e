use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tonic::Code;
use tonic_types::StatusExt;

use crate::v1::ReasonError;

/// Why a call, or one input of a batch or a stream, has no answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Error {
    /// The gRPC status code.
    pub code: Code,
    /// The router's reason (`google.rpc.ErrorInfo`), such as `INPUT_LENGTH`. Empty: the error does not come from the
    /// router; for example, the connection failed.
    pub reason: String,
    /// What happened and what to do next.
    pub message: String,
    /// Details of the reason (`google.rpc.ErrorInfo`). `SESSION_STEP` has `step`, for example.
    pub metadata: HashMap<String, String>,
    /// The fields of the request that are wrong (`google.rpc.BadRequest`).
    pub fields: Vec<FieldViolation>,
    /// Delay after which the router expects to accept the call (`google.rpc.RetryInfo`). If set, the router has refused
    /// the call, so nothing was done.
    pub retry_after: Option<Duration>,
}

/// A field of the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldViolation {
    /// Path in the request, such as `encoding[17]`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, reason: String::new(), metadata: HashMap::new(), fields: Vec::new(), retry_after: None }
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        let details = status.get_error_details();
        let mut error = Self::new(status.code(), status.message());
        if let Some(info) = details.error_info() {
            error.reason.clone_from(&info.reason);
            error.metadata.clone_from(&info.metadata);
        }
        if let Some(bad_request) = details.bad_request() {
            let fields = bad_request.field_violations.iter();
            error.fields = fields
                .map(|each| FieldViolation { field: each.field.clone(), description: each.description.clone() })
                .collect();
        }
        error.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        error
    }
}

impl From<ReasonError> for Error {
    fn from(item: ReasonError) -> Self {
        let mut error = Self::new(Code::from_i32(item.code), item.message);
        error.reason = item.reason;
        if !item.field.is_empty() {
            error.fields.push(FieldViolation { field: item.field, description: error.message.clone() });
        }
        if item.retry_after_ms > 0 {
            error.retry_after = Some(Duration::from_millis(item.retry_after_ms.into()));
        }
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.code)?;
        if !self.reason.is_empty() {
            write!(formatter, " ({})", self.reason)?;
        }
        write!(formatter, ": {}", self.message)?;
        for each in &self.fields {
            write!(formatter, " [field {}]", each.field)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn has_what_the_router_says() {
        let mut details = ErrorDetails::with_error_info("INPUT_LENGTH", "tandem", [("model".into(), "net".into())]);
        details.add_bad_request_violation("tensor.shape", "got 3 numbers");
        details.set_retry_info(Some(Duration::from_millis(1500)));
        let error = Error::from(tonic::Status::with_error_details(Code::InvalidArgument, "send 768 numbers", details));
        assert_eq!(error.reason, "INPUT_LENGTH");
        assert_eq!(error.metadata["model"], "net");
        assert_eq!(error.fields[0].field, "tensor.shape");
        assert_eq!(error.retry_after, Some(Duration::from_millis(1500)));
        assert_eq!(error.to_string(), "InvalidArgument (INPUT_LENGTH): send 768 numbers [field tensor.shape]");
    }

    #[test]
    fn of_a_connection_has_no_reason() {
        let error = Error::from(tonic::Status::unavailable("connection refused"));
        assert_eq!(error.reason, "");
        assert_eq!(error.to_string(), "Unavailable: connection refused");
    }

    #[test]
    fn of_an_item_names_its_field() {
        let item = ReasonError {
            code: 3,
            reason: "INPUT_NOT_FINITE".into(),
            message: "encoding[17] is NaN".into(),
            field: "encoding[17]".into(),
            retry_after_ms: 0,
        };
        let error = Error::from(item);
        assert_eq!(error.code, Code::InvalidArgument);
        assert_eq!(error.fields[0].field, "encoding[17]");
        assert_eq!(error.retry_after, None);
    }

    #[test]
    fn of_a_refused_item_names_the_time_of_a_retry() {
        let item = ReasonError { code: 8, reason: "RATE_LIMITED".into(), retry_after_ms: 250, ..Default::default() };
        assert_eq!(Error::from(item).retry_after, Some(Duration::from_millis(250)));
    }
}
