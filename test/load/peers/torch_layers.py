"""What the peers on PyTorch share: the layers' linear operations, inputs as tensors, one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from network import Layer, Operation

torch.set_num_threads(1)
torch.set_grad_enabled(False)


@dataclass
class TorchPeer:
    """`run` takes what `prepare` makes from a batch and returns the spike counts [batch, outputs]."""

    version: str
    run: Callable[[Tensor], Tensor]
    series: bool

    def prepare(self, batch: np.ndarray) -> Tensor:
        x = torch.from_numpy(batch)
        return x.transpose(0, 1).contiguous() if self.series else x.contiguous()

    def counts(self, result: Tensor) -> list[list[int]]:
        return result.round().int().tolist()


class Currents(nn.Module):
    """A layer's linear operations. `gain`: a factor in addition to the weights."""

    def __init__(self, layer: Layer, gain: float = 1.0) -> None:
        super().__init__()
        weighted = [op for op in layer.operations if op.weight is not None]
        scale, modules = 1.0, []
        for op in layer.operations:
            if op.type == "SumPool2d":
                # A mean is faster than a sum in PyTorch; the weights after it correct for the difference.
                scale *= op.kernel[0] * op.kernel[1]
            modules.append(_module(op, scale if op.weight is not None else 1, gain if op is weighted[-1] else 1))
            if op.weight is not None:
                scale = 1.0
        self.operations = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.operations(x)

    def of_steps(self, x: Tensor) -> Tensor:
        """Of [steps, batch, …], as one batch."""
        return self(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def _module(op: Operation, scale: float, gain: float) -> nn.Module:
    if op.type == "Flatten":
        return nn.Flatten()
    if op.type == "SumPool2d":
        return nn.AvgPool2d(op.kernel, op.stride)
    out, inputs = op.weight.shape[:2]
    if op.type == "Conv2d":
        module = nn.Conv2d(inputs, out, op.kernel, op.stride, op.padding)
    else:
        module = nn.Linear(inputs, out)
    module.weight.data = torch.tensor(op.weight * scale * gain, dtype=torch.float32)
    module.bias.data = torch.tensor(op.bias * gain, dtype=torch.float32)
    return module


def version(*others: str) -> str:
    return ", ".join([*others, f"PyTorch {torch.__version__}"])


def first_layer_alone(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    """Not a peer: the minimum time of any program on PyTorch."""
    first = Currents(layers[0]).eval()
    return TorchPeer(version(), first.of_steps if series else first, series)
