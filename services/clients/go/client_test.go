package tandem

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

// reasoning answers each Reason with the next of errors.
type reasoning struct {
	tandemv1.UnimplementedReasoningServiceServer
	errors []error
	calls  int
	token  []string
}

func (r *reasoning) Reason(ctx context.Context, _ *tandemv1.ReasonRequest) (*tandemv1.ReasonResponse, error) {
	r.calls++
	r.token = metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(r.errors) > 0 {
		err := r.errors[0]
		r.errors = r.errors[1:]
		return nil, err
	}
	return &tandemv1.ReasonResponse{Label: "noun.animal", StateDigest: 1<<64 - 1}, nil
}

func (r *reasoning) ReasonStream(stream tandemv1.ReasoningService_ReasonStreamServer) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := &tandemv1.ReasonStreamResponse{RequestId: message.GetRequest().GetRequestId()}
		if message.GetRequest().GetText() == "" {
			answer.Outcome = &tandemv1.ReasonStreamResponse_Error{Error: &tandemv1.ReasonError{Code: 3, Reason: "TEXT_EMPTY", Field: "text"}}
		} else {
			answer.Outcome = &tandemv1.ReasonStreamResponse_Result{Result: &tandemv1.ReasonResponse{}}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func refusal(code codes.Code, retryAfter *durationpb.Duration) error {
	result, _ := status.New(code, "no").WithDetails(
		&errdetails.ErrorInfo{Reason: "INPUT_LENGTH", Domain: "tandem", Metadata: map[string]string{"limit": "768"}},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "encoding", Description: "too short"}}},
	)
	if retryAfter != nil {
		result, _ = result.WithDetails(&errdetails.RetryInfo{RetryDelay: retryAfter})
	}
	return result.Err()
}

func start(t *testing.T) (*Client, *reasoning) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service := &reasoning{}
	server := grpc.NewServer()
	tandemv1.RegisterReasoningServiceServer(server, service)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	client, err := Dial(listener.Addr().String(), WithToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client, service
}

func TestAnswerHasItsDigestAndTheCallItsToken(t *testing.T) {
	client, service := start(t)
	answer, err := client.Reason(context.Background(), &tandemv1.ReasonRequest{Text: "dog"})
	if err != nil || DigestHex(answer.GetStateDigest()) != "ffffffffffffffff" || !slices.Equal(service.token, []string{"Bearer secret"}) {
		t.Fatal(answer, err, service.token)
	}
}

func TestErrorHasReasonMetadataAndField(t *testing.T) {
	client, service := start(t)
	service.errors = []error{refusal(codes.InvalidArgument, nil)}
	_, err := client.Reason(context.Background(), &tandemv1.ReasonRequest{Encoding: []float32{1}})
	var e *Error
	if !errors.As(err, &e) || ReasonOf(err) != "INPUT_LENGTH" || e.Metadata["limit"] != "768" || e.Fields[0].Field != "encoding" {
		t.Fatal(err)
	}
	if status.Code(err) != codes.InvalidArgument || service.calls != 1 {
		t.Fatal(status.Code(err), service.calls)
	}
}

func TestCallIsSentAgainOnlyWhereItIsSafe(t *testing.T) {
	session := &tandemv1.ReasonRequest{Session: &tandemv1.Session{Id: "robot-7"}}
	for name, each := range map[string]struct {
		err     error
		request *tandemv1.ReasonRequest
		calls   int
	}{
		"the router names a delay":         {refusal(codes.ResourceExhausted, durationpb.New(time.Millisecond)), session, 2},
		"the router was not reached":   {status.Error(codes.Unavailable, "lost"), &tandemv1.ReasonRequest{}, 2},
		"the session may have changed": {status.Error(codes.Unavailable, "lost"), session, 1},
		"the request is too large":     {refusal(codes.ResourceExhausted, nil), &tandemv1.ReasonRequest{}, 1},
		"the delay is too long":        {refusal(codes.Unavailable, durationpb.New(time.Hour)), session, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client, service := start(t)
			service.errors = []error{each.err}
			_, err := client.Reason(context.Background(), each.request)
			if service.calls != each.calls || (err == nil) != (each.calls == 2) {
				t.Fatal(service.calls, err)
			}
		})
	}
}

func TestStreamGivesEachRequestItsAnswerOrError(t *testing.T) {
	client, _ := start(t)
	requests := []*tandemv1.ReasonRequest{{RequestId: "a", Text: "dog"}, {RequestId: "b"}}
	reasons := map[string]string{}
	for answer, err := range client.Stream(context.Background(), slices.Values(requests)) {
		if err != nil {
			t.Fatal(err)
		}
		reasons[answer.GetRequestId()] = ReasonOf(ItemError(answer.GetError()))
	}
	if len(reasons) != 2 || reasons["a"] != "" || reasons["b"] != "TEXT_EMPTY" {
		t.Fatal(reasons)
	}
}

func TestStreamMayBeLeftEarly(t *testing.T) {
	client, _ := start(t)
	endless := func(yield func(*tandemv1.ReasonRequest) bool) {
		for yield(&tandemv1.ReasonRequest{Text: "dog"}) {
		}
	}
	for _, err := range client.Stream(context.Background(), endless) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
}

func TestTensorHasLittleEndianFloats(t *testing.T) {
	tensor := TensorOf([]float32{1, -2})
	if !slices.Equal(tensor.GetShape(), []uint32{2}) || string(tensor.GetData()) != "\x00\x00\x80\x3f\x00\x00\x00\xc0" {
		t.Fatal(tensor)
	}
}
