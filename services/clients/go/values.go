package tandem

import (
	"encoding/binary"
	"fmt"
	"math"

	tandemv1 "tandem.example/client/gen/tandem/v1"
)

// DigestHex writes a 64-bit digest as 16 hexadecimal digits, as the command line prints it.
func DigestHex(digest uint64) string { return fmt.Sprintf("%016x", digest) }

// TensorOf makes an input from values. It is smaller and faster than Encoding. The shape is [len(values)] unless given;
// a time series has [steps, …].
func TensorOf(values []float32, shape ...uint32) *tandemv1.Tensor {
	if len(shape) == 0 {
		shape = []uint32{uint32(len(values))}
	}
	data := make([]byte, 0, 4*len(values))
	for _, value := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
	}
	return &tandemv1.Tensor{Shape: shape, Dtype: "FP32", Data: data}
}
