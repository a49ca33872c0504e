package tandem

import (
	"context"
	"errors"
	"io"
	"iter"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

// Stream sends requests over one stream and yields the answers in any order: each has its request's id. It reads
// requests in another goroutine, no faster than the router accepts them. Ending the loop early cancels the stream. The
// error is the one that ended the stream. The error of one request is in its answer: ItemError(answer.GetError()).
func (c *Client) Stream(
	ctx context.Context, requests iter.Seq[*tandemv1.ReasonRequest],
) iter.Seq2[*tandemv1.ReasonStreamResponse, error] {
	return func(yield func(*tandemv1.ReasonStreamResponse, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := c.ReasonStream(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		go func() {
			for request := range requests {
				if stream.Send(&tandemv1.ReasonStreamRequest{Request: request}) != nil {
					return // Recv returns the reason
				}
			}
			_ = stream.CloseSend()
		}()
		for {
			answer, err := stream.Recv()
			if errors.Is(err, io.EOF) || !yield(answer, err) || err != nil {
				return
			}
		}
	}
}
