package tandem

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

// The one retry policy, equal in every language: docs/clients.md, "Retries".
const (
	maxAttempts = 4
	firstDelay  = 100 * time.Millisecond
)

// withRetries calls until an answer, an error that another attempt does not change, or the last attempt.
func withRetries(ctx context.Context, repeatable bool, call func() error) error {
	for attempt := 1; ; attempt++ {
		err := call()
		delay, again := retryDelay(err, attempt, repeatable)
		if deadline, has := ctx.Deadline(); !again || has && time.Until(deadline) <= delay {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(delay):
		}
	}
}

// retryDelay returns the delay before the next attempt; false: do not retry.
func retryDelay(err error, attempt int, repeatable bool) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) || attempt >= maxAttempts || e.Code != codes.Unavailable && e.Code != codes.ResourceExhausted {
		return 0, false
	}
	// If the router names a delay, it has refused the call, so nothing was done.
	if e.RetryAfter != nil {
		return *e.RetryAfter, true
	}
	if e.Code == codes.ResourceExhausted || !repeatable {
		return 0, false
	}
	return time.Duration(float64(firstDelay<<(attempt-1)) * (0.5 + rand.Float64())), true
}

// isRepeatable reports whether a call may be sent again although the router may have carried it out. A message of a
// session changes the session, unless it sets expected_step.
func isRepeatable(method string, request any) bool {
	switch request := request.(type) {
	case *tandemv1.ReasonRequest:
		return request.GetSession() == nil || request.GetSession().ExpectedStep != nil
	case *tandemv1.ReasonBatchRequest:
		for _, each := range request.GetRequests() {
			if !isRepeatable(method, each) {
				return false
			}
		}
		return true
	}
	return method == tandemv1.ReasoningService_Ping_FullMethodName
}
