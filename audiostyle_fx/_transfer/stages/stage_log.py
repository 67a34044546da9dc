"""The record of the stages: losses and time of each, and reports while they run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..._engine.arrays.array_module import Array, to_host
from ..._engine.cuda.streams import losses_due
from ...progress import StageReport
from ..results import Stage


@dataclass(frozen=True, eq=False)
class StageLog:
    """The stages of a batch, recorded and reported as they run.

    Attributes
    ----------
    stages : list of dict of str to Stage
        The finished stages of each item of the batch.
    report : callable, optional
        Called with stage, iteration, number of iterations and the losses by name, their means over the batch.
    """

    stages: list[dict[str, Stage]]
    report: StageReport | None = None

    def progress(self, stage: str, iteration: int, iterations: int, losses: Array, names: Sequence[str]) -> None:
        """Report the losses, (names, batch), of an iteration; on a GPU, of every tenth one.

        On a GPU this also waits for the queued work, even without a report.
        """
        if losses_due(iteration, iterations, losses) and self.report:
            means = to_host(losses).mean(axis=1).tolist()
            self.report(stage, iteration, iterations, dict(zip(names, means, strict=True)))

    def record(self, stage: StageHistory) -> None:
        """Add a finished stage to every item."""
        iterations, losses = np.array([*stage.iterations]), to_host(stage.losses)
        inconsistency = None if stage.inconsistency is None else to_host(stage.inconsistency)
        seconds = time.perf_counter() - stage.start
        for item, stages in enumerate(self.stages):
            item_inconsistency = None if inconsistency is None else inconsistency[:, item].copy()
            style_loss, content_loss = losses[:, :, item].T.copy()
            stages[stage.name] = Stage(seconds, iterations, style_loss, content_loss, item_inconsistency)


@dataclass(frozen=True, eq=False)
class StageHistory:
    """The history of a finished stage.

    Attributes
    ----------
    name : str
    iterations : iterable of int
        Numbers of the iterations whose losses are recorded.
    losses : array (iterations, 2, batch)
        Style loss and content loss.
    inconsistency : array (all iterations, batch), optional
    start : float
        Time at which the stage began, in seconds as `time.perf_counter` counts them.
    """

    name: str
    iterations: Iterable[int]
    losses: Array
    inconsistency: Array | None = None
    start: float = 0.0
