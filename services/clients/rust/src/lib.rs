//! Client for Tandem: answers from spiking neural networks over gRPC, equal to the bit on every
//! engine.
//!
//! ```no_run
//! # async fn first_call() -> Result<(), tandem_snn::Error> {
//! use tandem_snn::{Client, v1::ReasonRequest};
//!
//! let client = Client::new("127.0.0.1:50051")?;
//! let answer = client.reason(ReasonRequest { text: "a small furry animal".into(), ..Default::default() }).await?;
//! println!("{} {}", answer.label, answer.digest_hex());
//! # Ok(())
//! # }
//! ```
//!
//! - [`Client`] has a deadline for each call, and retries calls that may be sent again ([`RetryPolicy`]).
//! - [`Error`] has the reason, the metadata and the wrong fields as the router names them.
//! - [`Answers`] is the stream of answers of [`Client::reason_stream`].
//! - [`v1`] has every message and the plain client of every service; [`Client::call`] calls them with the same
//!   deadline.

mod answers;
mod client;
#[cfg(test)]
mod client_test;
mod error;
mod messages;
mod retry;

/// Generated from the package `tandem.v1`: every message, and the plain gRPC client of every service.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("tandem.v1");
}

pub use answers::{Answers, StreamAnswer};
pub use client::{Bearer, Client, Service};
pub use error::{Error, FieldViolation};
pub use retry::RetryPolicy;
pub use tonic::Code;
#[cfg(feature = "tls")]
pub use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// A digest as Tandem prints it: 16 lower-case hexadecimal digits.
#[must_use]
pub fn digest_hex(digest: u64) -> String {
    format!("{digest:016x}")
}
