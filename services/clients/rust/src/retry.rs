use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use crate::Error;

/// When a failed call is sent again, and after what delay.
///
/// `UNAVAILABLE` and `RESOURCE_EXHAUSTED` are retried after the delay that the router names (`google.rpc.RetryInfo`): it
/// has refused the call, so nothing was done. `UNAVAILABLE` without it is retried with delays that double, if the call may
/// be carried out twice. No retry begins after the call's deadline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts of a call, including the first one. 1: no retry.
    pub max_attempts: u32,
    /// The longest delay before the first retry.
    pub first_delay: Duration,
    /// The longest delay before any retry, if the router names none.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 4, first_delay: Duration::from_millis(100), max_delay: Duration::from_secs(2) }
    }
}

/// Whether a call may be carried out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    /// It may not be carried out twice: it is sent again only if the router refused it.
    IfRefused,
}

impl RetryPolicy {
    /// The delay before the next attempt; `None`: do not retry. `random` is from 0 to 1, so that clients that were
    /// refused together do not retry together.
    fn delay(&self, failed_attempts: u32, repeat: Repeat, error: &Error, random: f64) -> Option<Duration> {
        let retryable = match error.code {
            Code::Unavailable => repeat == Repeat::Safe || error.retry_after.is_some(),
            Code::ResourceExhausted => error.retry_after.is_some(),
            _ => false,
        };
        if !retryable || failed_attempts >= self.max_attempts {
            return None;
        }
        if let Some(delay) = error.retry_after {
            return Some(delay.saturating_add(delay.mul_f64(random / 5.0)));
        }
        let doublings = 2u32.saturating_pow(failed_attempts - 1);
        let longest = self.first_delay.saturating_mul(doublings).min(self.max_delay);
        Some(longest.mul_f64(0.5 + random / 2.0))
    }

    /// Calls `attempt` with the remaining time until it has a final result.
    pub(crate) async fn run<T, F>(
        &self,
        deadline: Duration,
        repeat: Repeat,
        mut attempt: impl FnMut(Duration) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, tonic::Status>>,
    {
        let end = Instant::now() + deadline;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let left = end.saturating_duration_since(Instant::now());
            let error = match tokio::time::timeout(left, attempt(left)).await {
                Ok(Ok(answer)) => return Ok(answer),
                // tonic cancels a call at its deadline.
                Ok(Err(status)) if status.code() != Code::Cancelled || Instant::now() < end => Error::from(status),
                _ => {
                    let message = format!("no answer within {} ms; allow more time", deadline.as_millis());
                    return Err(Error::new(Code::DeadlineExceeded, message));
                }
            };
            let Some(delay) = self.delay(attempts, repeat, &error, fastrand::f64()) else { return Err(error) };
            if Instant::now() + delay >= end {
                return Err(error);
            }
            tokio::time::sleep(delay).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn refused(code: Code, delay: Duration) -> Status {
        let mut details = ErrorDetails::with_error_info("ROUTER_FULL", "tandem", []);
        details.set_retry_info(Some(delay));
        Status::with_error_details(code, "full", details)
    }

    /// Milliseconds at which the attempts began, and the result; each fails with `status`, but for the last.
    async fn attempts(statuses: Vec<Status>, deadline: Duration, repeat: Repeat) -> (Vec<u128>, Result<(), Code>) {
        let began = Instant::now();
        let mut times = Vec::new();
        let mut statuses = statuses.into_iter();
        let policy = RetryPolicy::default();
        let result = policy.run(deadline, repeat, |_| {
            times.push(began.elapsed().as_millis());
            let status = statuses.next();
            async { status.map_or(Ok(()), Err) }
        });
        let result = result.await.map_err(|error| error.code);
        (times, result)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn retries_with_delays_that_double() {
        let (times, result) = attempts(vec![Status::unavailable(""); 3], LONG, Repeat::Safe).await;
        assert_eq!(result, Ok(()));
        let delays: Vec<u128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(delays.len(), 3);
        for (delay, longest) in delays.into_iter().zip([100, 200, 400]) {
            assert!((longest / 2..=longest + 1).contains(&delay), "{delay} of {longest}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_after_the_last_attempt() {
        let (times, result) = attempts(vec![Status::unavailable(""); 9], LONG, Repeat::Safe).await;
        assert_eq!((times.len(), result), (4, Err(Code::Unavailable)));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_as_long_as_the_router_says() {
        let status = refused(Code::ResourceExhausted, Duration::from_secs(5));
        let (times, result) = attempts(vec![status], LONG, Repeat::Safe).await;
        assert_eq!(result, Ok(()));
        assert!((5_000..=6_001).contains(&times[1]), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_wait_past_the_deadline() {
        let status = refused(Code::Unavailable, Duration::from_secs(5));
        let (times, result) = attempts(vec![status], Duration::from_secs(4), Repeat::Safe).await;
        assert_eq!((times, result), (vec![0], Err(Code::Unavailable)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_too_large_is_final() {
        let (times, result) = attempts(vec![Status::resource_exhausted("")], LONG, Repeat::Safe).await;
        assert_eq!((times.len(), result), (1, Err(Code::ResourceExhausted)));
    }

    #[tokio::test(start_paused = true)]
    async fn other_codes_are_final() {
        for code in [Code::InvalidArgument, Code::Internal, Code::Aborted, Code::DeadlineExceeded] {
            let (times, result) = attempts(vec![Status::new(code, "")], LONG, Repeat::Safe).await;
            assert_eq!((times.len(), result), (1, Err(code)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_may_not_repeat_is_sent_again_only_if_it_was_refused() {
        let lost = attempts(vec![Status::unavailable("")], LONG, Repeat::IfRefused).await;
        assert_eq!(lost.1, Err(Code::Unavailable));
        let status = refused(Code::Unavailable, Duration::from_millis(1));
        let refused = attempts(vec![status], LONG, Repeat::IfRefused).await;
        assert_eq!(refused.1, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_ends_at_its_deadline() {
        let policy = RetryPolicy::default();
        let endless = policy.run(Duration::from_millis(250), Repeat::Safe, |_| std::future::pending::<Result<(), _>>());
        assert_eq!(endless.await.unwrap_err().code, Code::DeadlineExceeded);
    }

    #[test]
    fn a_hostile_delay_is_no_overflow() {
        let mut error = Error::new(Code::Unavailable, "");
        error.retry_after = Some(Duration::MAX / 2);
        let policy = RetryPolicy { max_attempts: u32::MAX, ..RetryPolicy::default() };
        assert!(policy.delay(1, Repeat::Safe, &error, 1.0).is_some());
        error.retry_after = None;
        assert_eq!(policy.delay(1_000_000, Repeat::Safe, &error, 1.0), Some(policy.max_delay));
    }
}
