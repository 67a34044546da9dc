"""Batches of sections that are ready to be styled, alone or together, in this process or another one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...progress import StageReport
from ..setup.transfer_setup import TransferSetup
from ..stages.section_batch import SectionBatch, StyledBatch, three_stages
from ..stages.window_objectives import style_kind
from ..styles.matched_styles import StyleTarget


@dataclass(frozen=True, eq=False)
class StyledSections:
    """The result of a batch of sections, and the seconds that it took so far."""

    styled: StyledBatch
    seconds: float

    def split(self, sizes: Sequence[int]) -> list[StyledSections]:
        """Return the results of the batches of these sizes that were combined."""
        return [StyledSections(part, self.seconds) for part in self.styled.split(sizes)]


@dataclass(frozen=True, eq=False)
class PreparedSections:
    """The input of a batch of sections, see `PreparedBatch`.

    Attributes
    ----------
    batch : SectionBatch
    targets : list of StyleTarget
        For all sections, or for each.
    setup : TransferSetup
    item_bytes : int
        Memory that a section needs on a GPU.
    reports : list of StageReport
    seconds : float
        Time that the preparation took.
    """

    batch: SectionBatch
    targets: list[StyleTarget]
    setup: TransferSetup
    item_bytes: int
    reports: list[StageReport]
    seconds: float

    @property
    def size(self) -> int:
        """Number of sections."""
        return len(self.batch.contents)

    @property
    def kind(self) -> object:
        """Equal for batches that can be combined."""
        shape, gains = self.batch.contents.shape[1:], self.batch.band_gains
        gains_shape = None if gains is None else gains.shape[1:]
        style = style_kind(self.targets[0], shape[-1], self.setup)
        return self.setup, style, shape, self.batch.fixed is None, gains_shape

    def combined(self, others: Sequence[PreparedSections], device: str) -> PreparedSections:
        """Return this batch and others of its kind as one, for a device; all styles of one kind have keys."""
        parts = [self, *others]
        targets = [part.targets * (part.size // len(part.targets)) for part in parts]
        unique = {target.key: target for target in itertools.chain.from_iterable(targets)}
        of_each = [unique[target.key] for target in itertools.chain.from_iterable(targets)]
        return replace(
            self,
            batch=SectionBatch.combined([part.batch for part in parts], device),
            targets=of_each if len(unique) > 1 else of_each[:1],
            reports=list(itertools.chain.from_iterable(part.reports for part in parts)),
            seconds=max(part.seconds for part in parts),
        )

    def compute(self, device: str) -> StyledSections:
        """Run the three stages."""
        start, report = time.perf_counter(), self._report if self.reports else None
        styled = three_stages(self.batch, self.targets, self.setup, device, report)
        return StyledSections(styled, self.seconds + time.perf_counter() - start)

    def _report(self, *progress: Any) -> None:
        """Report the progress of a stage to all."""
        for report in self.reports:
            report(*progress)
