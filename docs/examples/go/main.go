// One Reason, one stream, one error. docs/clients.md says how to run it.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	tandem "tandem.example/client"
	tandemv1 "tandem.example/client/gen/tandem/v1"
)

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	client, err := tandem.Dial(address, tandem.WithTimeout(5*time.Second))
	check(err)
	defer client.Close()
	ctx := context.Background()

	answer, err := client.Reason(ctx, &tandemv1.ReasonRequest{Text: "a small furry animal"})
	check(err)
	fmt.Printf("answer: %s %s\n", answer.GetLabel(), tandem.DigestHex(answer.GetStateDigest()))

	// Answers come as they are ready, so they are told apart by the id of their request.
	var requests []*tandemv1.ReasonRequest
	for _, text := range []string{"a small furry animal", "a musical instrument with strings", "to run very fast"} {
		requests = append(requests, &tandemv1.ReasonRequest{RequestId: text, Text: text})
	}
	digests := map[string]string{}
	for each, err := range client.Stream(ctx, slices.Values(requests)) {
		check(err)
		check(tandem.ItemError(each.GetError()))
		digests[each.GetRequestId()] = tandem.DigestHex(each.GetResult().GetStateDigest())
	}
	last := requests[len(requests)-1].GetRequestId()
	fmt.Printf("stream: %d answers, %s of the last\n", len(digests), digests[last])

	_, err = client.Reason(ctx, &tandemv1.ReasonRequest{Encoding: []float32{1, 2, 3}})
	fmt.Printf("error: %s\n", tandem.ReasonOf(err))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
