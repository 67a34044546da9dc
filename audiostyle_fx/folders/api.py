"""The public function that styles a folder of recordings."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np

from .._effects_chain.catalog import effects
from .._effects_chain.step import Step
from .._transfer.parameters.documentation import documented
from .._transfer.parameters.options import TransferOptions
from .._transfer.parameters.parameter_list import DEFAULTS
from .._transfer.styles.style_inputs import check_weights
from .._validation import flag
from ..progress import Progress
from .find import Levels, Selection
from .results import FolderResult
from .run import run_folder
from .settings import checked_parameters
from .workers import Workers

if TYPE_CHECKING:
    from typing_extensions import Unpack


@documented(TransferOptions, DEFAULTS)
def style_folder(
    in_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    style: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    style_weights: Sequence[float] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    settings: Mapping[str, TransferOptions] | None = None,
    format: str | None = None,
    start: float = 0.0,
    duration: float = math.inf,
    levels: Levels = "auto",
    independent: bool = False,
    subtype: str | None = None,
    rate: float | None = None,
    quality: float | None = None,
    force: bool = False,
    jobs: int = 1,
    executor: Executor | None = None,
    time_limit: float = math.inf,
    progress: Progress = None,
    **parameters: Unpack[TransferOptions],
) -> FolderResult:
    """Style all recordings in a folder and its subfolders, and write them to the same names in another folder.

    The same call resumes a run that was stopped by an interrupt, a killed process or a loss of power: files that an
    earlier call finished with the same parameters, style, input and version are skipped. A file that can't be styled
    is recorded with its error, and the run continues.

    The files directly in one folder count as stems of one song if all have the same sample rate and length. Each is
    styled with the same seed, and if one of them would clip in its format, all are turned down by the same factor, so
    that they still sum to the mix; their peaks are not limited. Stems finished by an earlier call, and not part of
    this one, count towards this factor; if they are too loud for it, a warning names their folder. The level of any
    other file, such as a file alone in its folder, is its own: if it would clip, its peaks are limited, and if that
    would lose more than 1 dB of RMS, it is also turned down.

    Records of all files are kept in ``out_folder/.audiostyle``, and written to ``out_folder/audiostyle.json`` at the
    end of each run.

    Parameters
    ----------
    in_folder, out_folder : path
        Neither may be inside the other, even through links, and no result may replace an input. ``out_folder`` is made
        if it does not exist; files in it that have the name of a result are replaced. Links in ``in_folder`` are
        followed.
    style : path or sequence of paths
        As for `stylize`, but only files.
    {style_weights}
    include, exclude : sequence of str
        Globs, such as ``"*.wav"`` or ``"drums/*"``, of files to process (by default all) and of files to leave out.
    settings : mapping of str to dict, optional
        Parameters, by glob, that replace the call's for matching files:
        ``{'drums*': {'preset': 'drums'}, 'vox/*': {'alpha': 0.05}}``. As for ``include``, a glob without a slash is
        compared with the file's name, and a glob with a slash with the path below ``in_folder``; upper and lower case
        differ. If several globs match, later ones override earlier ones. A preset here sets only the parameters that it
        changes; the call's other parameters stay. A glob that matches no recording of the folder is an error.
        ``device`` and the styles can't differ between files. Each file's settings are in its record; when they change,
        only the affected files are styled again, and stems keep their common level.
    format : str, optional
        Ending of the results, such as ``"flac"``; by default each file keeps its ending.
    start, duration : float
        Start and length, in seconds, of the part of each recording to style.
    levels : "auto", "shared" or "independent"
        The files that share a level: "auto" means stems as described above, "shared" all files directly in one folder,
        whatever their lengths, and "independent" none.
    independent : bool
        The same as ``levels="independent"``.
    subtype, rate, quality
        Sample format, sample rate in Hz and bit rate in kbit/s of the results, as for `style_file`.
    force : bool
        Style finished files again.
    jobs : int
        Number of processes on this machine, at least 1. They share its cores, and this process uses the GPUs for all of
        them. They import the calling program, so its call must be inside ``if __name__ == "__main__":``. With 1, this
        process does the work: on the CPU one file after the other, and on a GPU several files at once, which it styles
        together.
    executor : Executor, optional
        An executor that does the work instead, from `concurrent.futures` or of a cluster that sees the same folders. It
        gets paths, not recordings, and is not shut down. Warnings in its threads are not recorded.
    time_limit : float
        Seconds that each file may take. A file that takes longer fails, and the run continues. With a limit, other
        processes do the work even if ``jobs`` is 1; a limit can't be combined with ``executor``.
    progress : bool or callable, optional
        True for a bar, or lines if standard error is not a terminal; or a function that is called with every
        `ProgressEvent`, on this thread. Stages are reported if the work is done in this process.
    {parameters}

    Returns
    -------
    FolderResult

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        Before any work, as `stylize`.
    FolderError
        Before any work, if the folders or the files in them can't be used.
    RuntimeError
        If another process is working in ``out_folder``, or if processes of ``jobs`` end while they start.
    BrokenExecutor
        If the given executor is broken. Finished files are kept.
    OSError
        If the results or their records can't be written.
    """
    workers = Workers(jobs, executor, time_limit)
    styles = list(style) if isinstance(style, (Sequence, np.ndarray)) and not isinstance(style, str) else [style]
    for path in styles:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"style={path!r} must be a file, or a list of files")
    if not styles:
        raise ValueError(f"style={style!r} must hold at least one file")
    values = {"style": [os.fspath(path) for path in styles], **checked_parameters(parameters)}
    if style_weights is not None:
        values["style_weights"] = check_weights(style_weights, len(styles))
    if flag("independent", independent):
        if levels != "auto":
            raise ValueError(f"levels={levels!r} does not apply with independent=True")
        levels = "independent"
    selection = Selection(include, exclude, format, start, duration, levels, subtype, rate, quality)
    return run_folder(
        in_folder,
        out_folder,
        [Step(effects()["style"], values)],
        selection,
        settings=settings,
        force=force,
        workers=workers,
        progress=progress,
    )
