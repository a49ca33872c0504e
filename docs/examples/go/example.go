// One Reason, one stream, one error. See README.md beside this folder.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	pb "tandem/clients/go/tandemv1"
)

// 768 numbers of the shipped samples, little-endian binary32.
func request(name string) *pb.ReasonRequest {
	var file struct {
		Samples []struct {
			Name string
			Data string `json:"encoding_f32_base64"`
		}
	}
	text, err := os.ReadFile("deploy/models/supersense/samples.json")
	check(err)
	check(json.Unmarshal(text, &file))
	for _, sample := range file.Samples {
		if sample.Name == name {
			data, err := base64.StdEncoding.DecodeString(sample.Data)
			check(err)
			return &pb.ReasonRequest{RequestId: name, Tensor: &pb.Tensor{Shape: []uint32{768}, Dtype: "FP32", Data: data}}
		}
	}
	log.Fatalf("there is no sample %q", name)
	return nil
}

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	client := pb.NewReasoningServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()

	answer, err := client.Reason(ctx, request("dog"))
	check(err)
	fmt.Printf("reason: %s %016x\n", answer.Label, answer.StateDigest)

	stream, err := client.ReasonStream(ctx)
	check(err)
	names := []string{"dog", "bread", "piano"}
	for _, name := range names {
		check(stream.Send(&pb.ReasonStreamRequest{Request: request(name)}))
	}
	check(stream.CloseSend())
	labels := map[string]string{}
	for response, err := stream.Recv(); err != io.EOF; response, err = stream.Recv() {
		check(err)
		labels[response.RequestId] = response.GetResult().Label
	}
	fmt.Printf("stream: dog=%s bread=%s piano=%s\n", labels["dog"], labels["bread"], labels["piano"])

	_, err = client.Reason(ctx, &pb.ReasonRequest{Encoding: []float32{1, 2, 3}})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			fmt.Printf("error: %s: %s\n", info.Reason, status.Convert(err).Message())
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
