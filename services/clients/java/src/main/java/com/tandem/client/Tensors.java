package com.tandem.client;

import com.google.protobuf.ByteString;
import com.tandem.v1.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Makes the inputs of requests. */
public final class Tensors {
  private Tensors() {}

  /**
   * Returns a tensor of {@code FP32}.
   *
   * @param shape {@code [n]} for a constant input, or {@code [steps, …]} for a time series
   * @param values in row-major order
   */
  public static Tensor of(int[] shape, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    Tensor.Builder tensor = Tensor.newBuilder().setDtype("FP32").setData(ByteString.copyFrom(bytes));
    for (int size : shape) {
      tensor.addShape(size);
    }
    return tensor.build();
  }
}
