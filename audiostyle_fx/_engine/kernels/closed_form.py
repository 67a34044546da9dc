"""The kernels of one evaluation of the closed form on a GPU: all work but its two matrix products."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays.array_module import Array
from .arc_cosine import SHARED_BYTES
from .launch import MOST_BLOCKS, launch_kernel

LANES = 64
"""Diagonals of a block of `gram_groups`."""

BUSY_BLOCKS = 264
"""Blocks that keep a large GPU busy, two for each of its multiprocessors."""

KNOWN_WIDTHS = {6: "gram_groups_6"}
"""Kernels for a fixed width, which keep everything in registers."""

OWN, STYLE, CONTENT = range(3)
"""Kinds of groups of columns: products of x with itself, with a style, and with the content."""


class Group(NamedTuple):
    """Neighbouring columns of the products: frames of x itself or of one target.

    Attributes
    ----------
    kind : int
        OWN, STYLE or CONTENT.
    column : int
        The first column.
    frames : int
    """

    kind: int
    column: int
    frames: int


class Blocks(NamedTuple):
    """The division of the products among the blocks of a GPU.

    Attributes
    ----------
    rows : int
        Rows of a block.
    first : tuple of int
        The first block of each group; the last element is the number of all blocks.
    high : int
        Blocks along the rows.
    """

    rows: int
    first: tuple[int, ...]
    high: int

    @classmethod
    def of(cls, groups: list[Group], n: int, batch: int) -> Blocks:
        """Return a division with few rows for each block if there is little work, and with up to 32 otherwise."""
        for rows in (32, 16, 8):
            first = [0]
            for group in groups:
                first.append(first[-1] + math.ceil((group.frames + rows - 1) / LANES))
            blocks = cls(rows, tuple(first), math.ceil(n / rows))
            if first[-1] * blocks.high * batch >= BUSY_BLOCKS:
                break
        return blocks


ROW_ARRAYS = "x spectrum content song stacked energies products song_products"


def _chosen(numbers: dict[str, Any], names: str, dtype: type) -> Any:
    """Return the numbers with these names, in the type of the kernel's parameters."""
    return np.array([numbers[name] for name in names.split()], dtype)


def launch_joined_rows(arrays: dict[str, Array], numbers: dict[str, Any]) -> None:
    """Fill the first rows of ``stacked``, and their products; the arguments are the kernel's, by name."""
    rows = numbers["batch"] * numbers["n"]
    launch_kernel(
        "joined_rows",
        min(rows, MOST_BLOCKS),
        *(arrays[name] for name in ROW_ARRAYS.split()),
        np.int32(rows),
        *_chosen(numbers, "n columns", np.int32),
        *_chosen(numbers, "item_stride", np.int64),
        *_chosen(numbers, "height leading", np.int32),
        *_chosen(numbers, "magnitude_scale", np.float32),
        *_chosen(numbers, "is_spectrum with_song", np.int32),
    )


def shared_bytes(width: int, rows: int) -> int:
    """Return the bytes of shared memory of a block of `gram_groups`."""
    floats = LANES * rows + 2 * (rows + width - 1) + LANES
    return 4 * (floats + (0 if width in KNOWN_WIDTHS else LANES * width))


def fits(width: int) -> bool:
    """Return whether a GPU's shared memory is enough for patches of ``width`` frames."""
    return shared_bytes(width, 32) <= SHARED_BYTES


def launch_gram_groups(
    arrays: dict[str, Array],
    blocks: Blocks,
    *,
    n_groups: int,
    n_tables: int,
    width: int,
    last: float,
    content_share: float,
    half_share_alpha: float,
    add: bool,
) -> None:
    """Turn products into the gradient at them, and write the parts of the losses and of the gradients at norms.

    The arrays are those of the kernel in ``kernels.cu``, by name.
    """
    products, norms, root_sums = arrays["products"], arrays["norms"], arrays["root_sums"]
    batch, n, columns = products.shape
    names = "products energies norms groups weights alpha used_alpha grad losses root_sums"
    strides = [0 if len(norms) == 1 else norms.shape[1], 0 if n_tables == 1 else n_groups]
    sizes = [n_groups, n, columns, root_sums.shape[-1], *strides, width, blocks.rows]
    launch_kernel(
        KNOWN_WIDTHS.get(width, "gram_groups"),
        (blocks.first[-1], blocks.high, batch),
        *(arrays[name] for name in names.split()),
        *np.array(sizes, np.int32),
        *np.array([last, content_share, half_share_alpha], np.float32),
        np.int32(add),
        threads=LANES,
        shared=shared_bytes(width, blocks.rows),
    )


GRADIENT_ARRAYS = """stacked by_style content spectrum energies products song_products content_norms song_norms
root_sums style_losses energies_of_targets spans span_values used_alpha alpha steering target latest grad spectrum_grad
losses"""


def launch_joined_gradient(arrays: dict[str, Array], numbers: dict[str, Any]) -> None:
    """Fill the gradient and the losses, and steer the balance; the arguments are the kernel's, by name."""
    launch_kernel(
        "joined_gradient",
        min(numbers["batch"] * (numbers["n"] + 1), MOST_BLOCKS),
        *(arrays[name] for name in GRADIENT_ARRAYS.split()),
        *_chosen(numbers, "batch n columns", np.int32),
        *_chosen(numbers, "item_stride", np.int64),
        *_chosen(numbers, "height leading n_norms n_spans bins", np.int32),
        *_chosen(numbers, "magnitude_scale tiny weight content_share half_share_alpha", np.float32),
        *_chosen(numbers, "is_spectrum halved with_style with_balance with_song steered add", np.int32),
    )
