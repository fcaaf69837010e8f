"""Check a recipe and images, build the objects of a run and run them; `job.Job` holds the sequence of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.job.inputs import Sources as Sources
    from nst.job.job import Job as Job
    from nst.job.job import Result as Result

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.job.inputs": ("Sources",),
        "nst.job.job": (
            "Job",
            "Result",
        ),
    },
)
