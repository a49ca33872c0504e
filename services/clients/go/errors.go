package tandem

import (
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

// FieldViolation is a field that is wrong. Example of Field: "encoding[17]".
type FieldViolation struct {
	Field       string
	Description string
}

// Error is a call that failed, or one input of a batch or a stream.
type Error struct {
	Code    codes.Code
	Message string
	// Reason is google.rpc.ErrorInfo's. Example: "INPUT_LENGTH". Empty: the router did not answer.
	Reason string
	// Metadata is google.rpc.ErrorInfo's.
	Metadata map[string]string
	Fields   []FieldViolation
	// RetryAfter is the delay before another attempt. nil: the router names none.
	RetryAfter *time.Duration
	cause      error
}

func (e *Error) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s (%s): %s", e.Code, e.Reason, e.Message)
}

// Unwrap gives the error of the gRPC library, so that status.FromError and errors.Is work.
func (e *Error) Unwrap() error { return e.cause }

// ReasonOf is the reason of an error of this package, and "" for every other error.
func ReasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func errorOf(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	from := status.Convert(err)
	e := &Error{Code: from.Code(), Message: from.Message(), cause: err}
	for _, detail := range from.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				e.Fields = append(e.Fields, FieldViolation{violation.GetField(), violation.GetDescription()})
			}
		case *errdetails.RetryInfo:
			after := detail.GetRetryDelay().AsDuration()
			e.RetryAfter = &after
		}
	}
	return e
}

// ItemError makes an error of one input of a batch or a stream. nil: the input has an answer.
func ItemError(item *tandemv1.ReasonError) error {
	if item == nil {
		return nil
	}
	e := &Error{Code: codes.Code(item.GetCode()), Message: item.GetMessage(), Reason: item.GetReason()}
	if item.GetField() != "" {
		e.Fields = []FieldViolation{{item.GetField(), item.GetMessage()}}
	}
	if item.GetRetryAfterMs() > 0 {
		after := time.Duration(item.GetRetryAfterMs()) * time.Millisecond
		e.RetryAfter = &after
	}
	return e
}
