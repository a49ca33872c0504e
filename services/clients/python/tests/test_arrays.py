"""numpy in, numpy out."""

import unittest

import numpy as np
from tandem import ReasonResponse, digest_hex, raster, readout_per_step, scores, tensor_of
from tandem.v1.reasoning_pb2 import LayerActivity


class ArraysTest(unittest.TestCase):
    def test_float64_becomes_float32(self):
        tensor = tensor_of([[1.0, -2.0]])
        self.assertEqual((list(tensor.shape), tensor.dtype), ([1, 2], "FP32"))
        self.assertEqual(tensor.data, bytes.fromhex("0000803f000000c0"))

    def test_types_that_the_router_knows_stay_as_they_are(self):
        for kind, name in (("float16", "FP16"), ("int8", "INT8"), ("uint8", "UINT8"), ("bool", "BOOL")):
            tensor = tensor_of(np.ones(3, kind))
            self.assertEqual((tensor.dtype, len(tensor.data)), (name, np.dtype(kind).itemsize * 3))

    def test_big_endian_numbers_and_views_are_sent_in_the_right_order(self):
        array = np.arange(6, dtype=">f4").reshape(2, 3).T
        self.assertEqual(tensor_of(array).data, array.astype("<f4").tobytes())

    def test_scores_and_readout(self):
        answer = ReasonResponse(scores=[0.5, 0.5], spike_counts=[1, 2], readout_per_step=[1, 2, 3, 4])
        self.assertEqual(scores(answer).dtype, np.float32)
        self.assertEqual(readout_per_step(answer).tolist(), [[1, 2], [3, 4]])
        self.assertEqual(readout_per_step(ReasonResponse(spike_counts=[1, 2])).shape, (0, 2))

    def test_raster(self):
        layer = LayerActivity(neurons=3, spikes_per_step=[1, 2], event_steps=[0, 1, 1], event_neurons=[2, 0, 1])
        self.assertEqual(raster(layer).tolist(), [[False, False, True], [True, True, False]])

    def test_digest(self):
        self.assertEqual(digest_hex(0xFEDC), "000000000000fedc")
