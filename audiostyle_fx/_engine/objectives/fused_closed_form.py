"""The closed form on a GPU, with one kernel between every two library calls.

The formulas are those of `infinite_width`, which takes a dozen operations for each of the kernels here. The frames of
the styles and of the content are stacked below those of x in one array. One matrix product then gives the inner
products of x with itself, the styles and the content, and a second one gives the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays.array_module import Array, get_array_module
from ..arrays.matmul import matmul
from ..kernels.closed_form import (
    CONTENT,
    OWN,
    STYLE,
    Blocks,
    Group,
    fits,
    launch_gram_groups,
    launch_joined_gradient,
    launch_joined_rows,
)
from . import balance as steering
from .balance import Balance
from .infinite_width import Patches, StylePatches
from .loss_weights import Term
from .strided import joined_frames

ALIGNMENT = 4
"""Row lengths are multiples of this, because tensor cores need rows that begin at multiples of 16 bytes."""

MOST_PRODUCTS = 1 << 25
"""Most products of frames of one item in memory. Longer recordings are evaluated in tiles by `InfiniteWidth`."""


MOST_COPIED = 2
"""How many times as many frames as the content styles may have, for each item of a batch to have its own."""


class _Target(NamedTuple):
    """Patches that x is compared with.

    Attributes
    ----------
    kind : int
        STYLE or CONTENT.
    patches : sequence of Patches
        For all items, or for each item; those of items may differ in number.
    factors : sequence of float
        Factor of the inner product with x in the style loss, likewise.
    """

    kind: int
    patches: Sequence[Patches]
    factors: Sequence[float]

    @property
    def frames(self) -> int:
        """The most frames of an item."""
        return max(patches.frames.shape[1] for patches in self.patches)

    @property
    def items(self) -> int:
        """1, or the number of items if they differ."""
        return len(self.patches[0].frames) if len(self.patches) == 1 else len(self.patches)


class FusedClosedForm:
    """Style and content loss of a log-magnitude spectrogram, for CuPy arrays in float32.

    Parameters
    ----------
    content : float32 array (batch, frames, bins)
        Log-magnitudes of the content; the bins of all channels are stacked.
    style : StylePatches, or sequence of StylePatches, optional
        From `InfiniteWidth.style_statistics`, for joined frames: of all items, or of each. Those of items may differ in
        all but the number of styles.
    terms : sequence of Term
    balance : Balance, optional
    song : float32 array of the content's shape, optional
    stride : int
        Number of frames that are joined, see `joined_frames`.

    The parameters are those of `InfiniteWidth`; the arrays hold single frames.
    """

    def __init__(
        self,
        content: Array,
        style: StylePatches | Sequence[StylePatches] | None,
        terms: Sequence[Term],
        balance: Balance | None = None,
        song: Array = None,
        stride: int = 1,
    ) -> None:
        xp, batch = get_array_module(content), len(content)
        styles = [style] if isinstance(style, StylePatches) else list(style or ())
        self._terms, self._with_style, self._tables = terms, bool(styles), max(len(styles), 1)
        joined = xp.ascontiguousarray(joined_frames(content, stride))
        _, n, columns = joined.shape
        own = Patches.of(joined, terms)
        share = 0.0 if balance is None or not styles else balance.content_share
        targets = [_Target(CONTENT, [own], [-2.0])] if share else []
        for patches, shares in zip(
            zip(*(each.patches for each in styles), strict=True),
            zip(*(each.shares for each in styles), strict=True),
            strict=True,
        ):
            targets.append(_Target(STYLE, patches, [-2.0 * each for each in shares]))
        stacked = self._stack(targets, batch, n, columns, xp)

        def rows(*shape: int) -> Array:
            return xp.empty((batch, *shape), np.float32)

        nothing = xp.zeros(1, np.float32)
        self._arrays = {
            "content": joined,
            "song": joined,
            "stacked": stacked,
            **{name: rows(n) for name in ("energies", "products", "song_products")},
            "x": nothing,
            "spectrum": xp.zeros(1, np.complex64),
            "content_norms": _side_by_side(own.norms, xp),
            "alpha": xp.zeros(batch, np.float32) if balance is None else balance.alpha,
            "used_alpha": rows(),
            "span_values": _from_host([[t.last, t.content_weight * t.gain] for t in terms], np.float32, xp),
            "target": xp.zeros(1, np.float64),
            "latest": xp.zeros(1, np.float64),
            "energies_of_targets": xp.zeros((3, batch)),
            "steering": _from_host(_STEERING, np.float64, xp),
        }
        self._arrays["song_norms"] = self._arrays["content_norms"]
        if song is not None:
            self._arrays["song"] = xp.ascontiguousarray(joined_frames(song, stride))
            self._arrays["song_norms"] = _side_by_side(Patches.of(self._arrays["song"], terms).norms, xp)
        is_steered = balance is not None and song is not None and balance.target is not None
        if is_steered:
            assert balance is not None
            if balance.latest is None:
                balance.latest = xp.full(batch, -1.0)
            self._arrays |= {"target": xp.asarray(balance.target, np.float64), "latest": balance.latest}
        self._numbers = {
            **{"batch": batch, "n": n, "columns": columns, "item_stride": content[0].size},
            **{"height": stacked.shape[1], "leading": stacked.shape[2], "n_spans": len(terms)},
            **{"n_norms": self._arrays["content_norms"].shape[1], "tiny": np.finfo(np.float32).tiny ** 0.5},
            **{"content_share": share, "half_share_alpha": steering.HALF_SHARE_ALPHA},
            **{"with_style": self._with_style, "with_balance": balance is not None},
            **{"with_song": balance is not None and song is not None, "steered": is_steered},
        }
        self._share_out(targets, xp)
        if styles:
            self._arrays["energies_of_targets"][0] = xp.concatenate([each.energy for each in styles])
        if share:
            self._compare_targets(content)

    @staticmethod
    def serves(content: Array, style: StylePatches | None, terms: Sequence[Term], stride: int) -> bool:
        """Return whether an evaluation on these frames can be fused: on a GPU, with products that fit at once."""
        if get_array_module(content) is np:
            return False
        if style is None:
            return True
        frames = sum(patches.frames.shape[1] for patches in style.patches)
        return FusedClosedForm.fits(content.shape[1] // stride, frames, [term.kernel_width for term in terms])

    @staticmethod
    def fits(n_frames: int, style_frames: int, kernel_widths: Sequence[int]) -> bool:
        """Return whether the products of joined frames fit into memory at once, and their patches into a kernel's."""
        return n_frames * (2 * n_frames + style_frames) <= MOST_PRODUCTS and all(map(fits, kernel_widths))

    def _stack(self, targets: Sequence[_Target], batch: int, n: int, columns: int, xp: Any) -> Array:
        """Return room for x above the targets' frames, (batch, rows, columns); long styles lie apart.

        Each item has frames of its own there. Long styles would take more memory than all else, so that all items share
        them, at two products more.
        """
        frames = [target.frames for target in targets]
        long = sum(size for size, target in zip(frames, targets, strict=True) if target.kind == STYLE) > MOST_COPIED * n
        beside = [target for target in targets if not (long and target.kind == STYLE)]
        self._groups, leading = [Group(OWN, 0, n)], _aligned(columns)
        height = _aligned(n + sum(frames[: len(beside)])) if targets else n
        stacked = xp.zeros((batch, height, leading), np.float32)
        self._apart: Array = None
        if long:
            items = max(target.items for target in targets[len(beside) :])
            self._apart = xp.zeros((items, _aligned(sum(frames[len(beside) :])), leading), np.float32)
        column = n
        for number, (target, size) in enumerate(zip(targets, frames, strict=True)):
            if number == len(beside):
                column = height
            self._groups.append(Group(target.kind, column, size))
            place, row = (stacked, column) if number < len(beside) else (self._apart, column - height)
            _write([patches.frames for patches in target.patches], place[:, row : row + size, :columns])
            column += size
        return stacked

    def value_and_grad(self, x: Array) -> tuple[Array, Array]:
        """Compute the losses and their gradient, as `InfiniteWidth.value_and_grad` does.

        Parameters
        ----------
        x : float32 array (batch, frames, bins)

        Returns
        -------
        losses : float64 array (2, batch)
        grad : float32 array (batch, frames, bins)
        """
        xp = get_array_module(x)
        losses, grad, x = xp.empty((2, len(x))), xp.empty(x.shape, x.dtype), xp.ascontiguousarray(x)
        arrays = {"x": x, "grad": grad, "spectrum_grad": self._arrays["spectrum"], "losses": losses}
        self._evaluate(arrays, {"is_spectrum": 0, "magnitude_scale": 1.0, "bins": 1, "halved": 0})
        return losses, grad

    def at_spectrum(
        self, spectrum: Array, scale: float, losses: Array, *, weight: float = 1.0, add: bool = False
    ) -> Array:
        """Compute the losses of a spectrum's log-magnitudes, and their gradient in the form that the inverse FFT takes.

        Parameters
        ----------
        spectrum : complex64 array (batch, frames, channels, bins)
        scale : float
            Factor of the magnitudes, see `STFT.magnitude_scale`.
        losses : float64 array (2 or more, batch)
            Receives style and content loss in its first rows.
        weight : float
            Factor of losses and gradient.
        add : bool
            Whether the losses are added to the values in ``losses``.

        Returns
        -------
        complex64 array of the spectrum's shape
            The gradient at the spectrum, with half of each bin that stands for a conjugate pair: its unscaled
            inverse FFT is the gradient at the windowed frames.
        """
        xp = get_array_module(spectrum)
        grad = xp.empty(spectrum.shape, spectrum.dtype)
        arrays = {"spectrum": spectrum, "grad": self._arrays["x"], "spectrum_grad": grad, "losses": losses}
        numbers = {"is_spectrum": 1, "magnitude_scale": scale, "bins": spectrum.shape[-1], "halved": 1, "add": add}
        self._evaluate(arrays, {**numbers, "weight": weight})
        return grad

    def _evaluate(self, arrays: dict[str, Array], numbers: dict[str, Any]) -> None:
        """Fill the losses and the gradient in ``arrays``."""
        arrays, numbers = {**self._arrays, **arrays}, {"weight": 1.0, "add": False, **self._numbers, **numbers}
        launch_joined_rows(arrays, numbers)
        if self._with_style:
            self._compare(arrays)
            height, grad = numbers["height"], arrays["product_grad"]
            matmul(grad[:, :, :height], arrays["stacked"], out=arrays["by_style"])
            if self._apart is not None:
                matmul(grad[:, :, height:], self._apart, add_to=arrays["by_style"])
        elif numbers["steered"]:
            arrays["used_alpha"][...] = arrays["alpha"]
        else:
            arrays["used_alpha"] = arrays["alpha"]
        launch_joined_gradient(arrays, numbers)

    def _compare(self, arrays: dict[str, Array]) -> None:
        """Compute the products of x with all that it is compared with, their losses and the gradient at them."""
        n, height, products = self._numbers["n"], self._numbers["height"], arrays["all_products"]
        x = arrays["stacked"][:, :n]
        matmul(x, arrays["stacked"].swapaxes(1, 2), out=products[:, :, :height])
        if self._apart is not None:
            matmul(x, self._apart.swapaxes(1, 2), out=products[:, :, height:])
        for number, term in enumerate(self._terms):
            self._launch_gram_groups(arrays, number, term)

    def _compare_targets(self, content: Array) -> None:
        """Compute the inner products of the content's Gram matrix with the styles', and its squared norm."""
        xp = get_array_module(content)
        arrays = {**self._arrays, "x": xp.ascontiguousarray(content), "alpha": xp.zeros_like(self._arrays["alpha"])}
        launch_joined_rows(arrays, {**self._numbers, "magnitude_scale": 1.0, "is_spectrum": 0})
        self._compare(arrays)
        energies, (_, own, before_styles, *_, end) = self._arrays["energies_of_targets"], self._blocks.first
        for width in self._widths:  # at alpha 0, the content has no part in the target
            parts = width["losses"].reshape(len(content), self._blocks.high, end)
            energies[1] -= parts[:, :, before_styles:].sum(axis=(1, 2)) / 2
            energies[2] += parts[:, :, :own].sum(axis=(1, 2))

    def _launch_gram_groups(self, arrays: dict[str, Array], number: int, term: Term) -> None:
        parts = self._widths[number]
        launch_gram_groups(
            {**arrays, **parts, "products": arrays["all_products"], "grad": arrays["product_grad"]},
            self._blocks,
            n_groups=len(self._groups),
            n_tables=self._tables,
            width=term.kernel_width,
            last=term.last,
            content_share=self._numbers["content_share"],
            half_share_alpha=self._numbers["half_share_alpha"],
            add=number > 0,
        )

    def _share_out(self, targets: Sequence[_Target], xp: Any) -> None:
        """Allocate the arrays between the matrix products: gradients, partial losses and kernel arguments."""
        numbers, arrays = self._numbers, self._arrays
        batch, n = numbers["batch"], numbers["n"]
        spans, norm, root, loss = [], 0, 0, 0
        blocks = self._blocks = Blocks.of(self._groups, n, batch)
        wide, whole = blocks.first[-1], blocks.first[-1] * blocks.high
        for term in self._terms:
            patches = n - term.kernel_width + 1
            spans.append([term.kernel_width, patches, norm, root, loss, wide, whole])
            norm, root, loss = norm + patches, root + batch * wide * patches, loss + batch * whole
        arrays["spans"] = _from_host(spans, np.int32, xp)
        if not self._with_style:
            arrays |= {"by_style": arrays["x"], "root_sums": arrays["x"], "style_losses": arrays["target"]}
            return
        root_sums, losses = xp.empty(root, np.float32), xp.empty(loss)
        arrays |= {"root_sums": root_sums, "style_losses": losses}
        columns = numbers["height"] + (0 if self._apart is None else self._apart.shape[1])
        arrays["all_products"] = xp.empty((batch, n, columns), np.float32)
        arrays["product_grad"] = xp.zeros((batch, n, columns), np.float32)
        arrays["by_style"] = xp.empty((batch, n, numbers["leading"]), np.float32)
        self._widths = []
        for number, (term, span) in enumerate(zip(self._terms, spans, strict=True)):
            norms, groups, weights, begin = [], [], [], 0
            scale = term.style_weight * (term.gain / (2 * math.pi)) ** 2 / span[1]
            for group_number, (group, target) in enumerate(zip(self._groups, [None, *targets], strict=True)):
                parts = [] if target is None else [patches.norms[number] for patches in target.patches]
                patches = [part.shape[1] for part in parts] or [span[1]]
                factors = [1.0] if target is None else target.factors
                place = blocks.first[group_number], group.column, group.frames
                groups.append([[*place, count, begin, group.kind] for count in patches])
                weights.append([factor * scale / count for factor, count in zip(factors, patches, strict=True)])
                if target is not None:
                    norms.append(_padded(parts, max(patches), xp))
                    begin += max(patches)
            items = max(len(a) for a in norms)
            norms = [xp.broadcast_to(a, (items, a.shape[1])) for a in norms]
            self._widths.append(
                {
                    "norms": xp.ascontiguousarray(xp.concatenate(norms, axis=1)),
                    "groups": _from_host(self._for_tables(groups), np.int32, xp),
                    "weights": _from_host(self._for_tables(weights), np.float64, xp),
                    "root_sums": root_sums[span[3] : span[3] + batch * wide * span[1]].reshape(batch, wide, span[1]),
                    "losses": losses[span[4] : span[4] + batch * whole],
                }
            )

    def _for_tables(self, groups: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return the values of each group, for all items or for each, by item: one table for all, or one for each."""
        return [[values[table % len(values)] for values in groups] for table in range(self._tables)]


_STEERING = [
    *(steering.RATE, steering.AHEAD, *steering.AHEAD_LIMITS, *steering.STEP_LIMITS),
    *(steering.LEAST_ALPHA, steering.MOST_ALPHA),
]
"""The constants of the kernel that steers the balance, in the order in which it reads them."""


def _aligned(size: int) -> int:
    """Return the next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _write(parts: Sequence[Array], out: Array) -> None:
    """Write an array of all items, (1 or batch, rows, ...), or those of each, (1, rows, ...); other rows stay."""
    for number, part in enumerate(parts):
        out[number if len(parts) > 1 else slice(None), : part.shape[1]] = part[0] if len(parts) > 1 else part


def _padded(parts: Sequence[Array], length: int, xp: Any) -> Array:
    """Return arrays of all items, (1 or batch, rows), or of each, as one, with zeros up to a length."""
    if len(parts) == 1:
        return parts[0]
    out = xp.zeros((len(parts), length), np.float32)
    _write(parts, out)
    return out


def _side_by_side(norms: Sequence[Array], xp: Any) -> Array:
    """Return the norms of all widths, (batch, patches of all widths)."""
    return xp.ascontiguousarray(xp.concatenate(norms, axis=1))


def _from_host(values: Any, dtype: Any, xp: Any) -> Array:
    """Return numbers as a flat array on the GPU."""
    return xp.asarray(np.array(values, dtype).reshape(-1))
