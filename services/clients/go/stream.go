package tandem

import (
	"context"
	"errors"
	"io"
	"iter"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

// Stream sends requests over one stream and gives the answers as they come, in any order: each has its request's id. It reads
// requests no faster than the router takes them, in a goroutine of its own. Ending the loop early cancels the stream. The error is
// what ended the stream; the error of one request is in its answer: ItemError(answer.GetError()).
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
					return // Recv says why
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
