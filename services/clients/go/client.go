// Package tandem is a client of Tandem. Messages and stubs of every service are in gen/tandem/v1.
package tandem

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

const defaultTimeout = 10 * time.Second

// Client is a connection to a router. It is safe for concurrent use. Every failed call returns an *Error.
type Client struct {
	tandemv1.ReasoningServiceClient
	conn *grpc.ClientConn
}

type settings struct {
	timeout time.Duration
	token   string
	dial    []grpc.DialOption
}

// Option changes how Dial connects.
type Option func(*settings)

// WithTimeout limits each unary call whose context has no deadline, over all its attempts. Default: 10 s.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.timeout = timeout }
}

// WithToken is for routers with callers in setting `auth`.
func WithToken(token string) Option {
	return func(s *settings) { s.token = token }
}

// WithDialOptions passes options to grpc.NewClient. Example: grpc.WithTransportCredentials for TLS.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dial = append(s.dial, options...) }
}

// Dial creates a client of the router at address, without TLS unless an option sets it. The first call connects.
func Dial(address string, options ...Option) (*Client, error) {
	s := settings{timeout: defaultTimeout}
	for _, option := range options {
		option(&s)
	}
	conn, err := grpc.NewClient(address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableRetry(),
		// Answers may have any size, since the caller requested them.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxInt32)),
		grpc.WithUnaryInterceptor(s.unary),
		grpc.WithStreamInterceptor(s.stream),
	}, s.dial...)...)
	if err != nil {
		return nil, err
	}
	return &Client{ReasoningServiceClient: tandemv1.NewReasoningServiceClient(conn), conn: conn}, nil
}

const maxInt32 = 1<<31 - 1

// Conn is for the stubs of other services: tandemv1.NewModelServiceClient(client.Conn()). They have the same deadline,
// retries, token and *Error.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// Close ends the connection and all calls.
func (c *Client) Close() error { return c.conn.Close() }

func (s *settings) unary(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	ctx = s.authorized(ctx)
	return withRetries(ctx, isRepeatable(method, request), func() error {
		return errorOf(invoke(ctx, method, request, reply, conn, options...))
	})
}

func (s *settings) stream(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := streamer(s.authorized(ctx), desc, conn, method, options...)
	if err != nil {
		return nil, errorOf(err)
	}
	return typedErrors{stream}, nil
}

func (s *settings) authorized(ctx context.Context) context.Context {
	if s.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.token)
}

// typedErrors is a stream whose errors are *Error.
type typedErrors struct{ grpc.ClientStream }

func (t typedErrors) RecvMsg(message any) error { return errorOf(t.ClientStream.RecvMsg(message)) }
