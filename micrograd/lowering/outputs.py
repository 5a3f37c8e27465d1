"""Programs of functions that return several Values: arrays come out, upstream gradients go in.

Such a function is lowered as Σ upstream · output, upstream being one more input. What backward
sends to an input that is only multiplied by the outputs is the outputs: no pass is special.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.lowering.program import Program
from micrograd.lowering.trace.declared import INPUT, OUTPUT, UPSTREAM, VJP


class OutputProgram(Program):
    """Run a lowered function on batches and return its outputs, one array with the batch in front.

    `inputs` ends in "upstream", which `value_and_grad` takes too: its loss is Σ upstream · output.
    """

    def __call__(self, *batch: Any) -> Any:
        """Return the outputs of a batch."""
        count = len(batch[0]) if batch else 1
        upstream = np.ones((count, *self._shapes[-1]))
        return self.run(OUTPUT, self.arguments((*batch, upstream)))[1][UPSTREAM]

    def vjp(self, *batch: Any, upstream: Any, wrt_inputs: bool = False) -> tuple[Any, Any]:
        """Return the outputs of a batch, and the gradients of Σ upstream · output by name."""
        kind = INPUT if wrt_inputs else VJP
        _, gradients = self.run(kind, self.arguments((*batch, upstream)))
        return gradients.pop(UPSTREAM), gradients
