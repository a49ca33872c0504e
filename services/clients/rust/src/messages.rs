//! Additions to the generated messages.

use crate::v1::{ReasonResponse, Tensor};

impl ReasonResponse {
    /// `state_digest` as Tandem prints it: 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest_hex(&self) -> String {
        crate::digest_hex(self.state_digest)
    }
}

impl Tensor {
    /// A tensor of `FP32`. `shape` is `[n]` for a constant input, or `[steps, …]` for a time series; `values` are in
    /// row-major order.
    #[must_use]
    pub fn from_f32(shape: &[u32], values: &[f32]) -> Self {
        Self {
            shape: shape.to_vec(),
            dtype: "FP32".to_owned(),
            data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_16_digits() {
        let response = ReasonResponse { state_digest: 0xab, ..Default::default() };
        assert_eq!(response.digest_hex(), "00000000000000ab");
        assert_eq!(crate::digest_hex(u64::MAX), "ffffffffffffffff");
    }

    #[test]
    fn a_tensor_is_little_endian() {
        let tensor = Tensor::from_f32(&[1, 2], &[1.0, -2.5]);
        assert_eq!(tensor.shape, [1, 2]);
        assert_eq!(tensor.dtype, "FP32");
        assert_eq!(tensor.data, [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
    }
}
