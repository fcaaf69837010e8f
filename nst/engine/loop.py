"""Optimize an image size by size, from coarse to fine: `optimize` holds the sequence.

The engine receives objects, never names. It stops, keeps the best image so far, recovers from a loss that is not
finite, and reports progress.
"""

from __future__ import annotations

from nst.engine.level_run import LevelRun, OnIterate, Optimization
from nst.engine.out_of_memory import memory_errors
from nst.engine.problem import Problem
from nst.engine.snapshot import Snapshot


class Stop(Exception):  # noqa: N818 - a request, not an error
    """Request from an `on_iterate` callback to end the run after this step, as "interrupted" with the best image."""


def optimize(problem: Problem, on_iterate: OnIterate | None = None, resume: Snapshot | None = None) -> Optimization:
    """Optimize at each size in turn, each from the enlarged result of the previous size.

    With the snapshot `resume` of an earlier run, the steps that follow equal those of the uninterrupted run. After
    Ctrl-C, or a `Stop` raised by `on_iterate`, the best image so far is returned as "interrupted". Ctrl-C before the
    first step is raised. Raises `NstError` if the loss is not finite at the start.
    """
    optimization = _started(problem, resume)
    try:
        for index in range(resume.level if resume else 0, len(problem.levels)):
            with memory_errors(problem.levels[index].backend):
                LevelRun(problem, index, optimization, resume).take_steps(on_iterate)
            resume = None
            if optimization.stopped != "finished":
                break
    except (KeyboardInterrupt, Stop):
        if not optimization.history:
            raise
        optimization.stopped = "interrupted"
    return optimization


def _started(problem: Problem, resume: Snapshot | None) -> Optimization:
    if resume is None:
        return Optimization(problem.start)
    best = problem.canvas(problem.levels[resume.level]).trim(resume.best)
    return Optimization(best, list(resume.history), list(resume.notes))
