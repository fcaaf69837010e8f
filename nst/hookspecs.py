"""The hooks a plugin may implement, all optional, each with a whole example.

A hook takes no arguments and yields frozen specs. The module that implements it is named in the distribution's
`nst.v1` entry-point group and imports `nst` and the standard library only: a factory is a string, so that listing
plugins never imports a framework.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from nst.specs import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec

PROJECT = "nst"
ENTRY_POINT_GROUP = "nst.v1"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nst_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Networks that can stylize.

    Example:
        @hookimpl
        def nst_backends():
            yield BackendSpec(name="my-net", factory="my_package.net:Net", layers=("relu1_1", "relu2_1"))
    """


@hookspec
def nst_optimizers() -> Iterable[OptimizerSpec]:  # type: ignore[empty-body]
    """Ways down an objective.

    Example:
        @hookimpl
        def nst_optimizers():
            lr = Option("lr", 0.1, "step length per unit of gradient", minimum=0)
            yield OptimizerSpec(name="gradient-descent", factory="my_package.descent:descend", options=(lr,))
    """


@hookspec
def nst_initializers() -> Iterable[InitializerSpec]:  # type: ignore[empty-body]
    """Pictures to start from.

    Example:
        @hookimpl
        def nst_initializers():
            yield InitializerSpec(name="mirror", factory="my_package.starts:mirror", summary="the content, mirrored")
    """


@hookspec
def nst_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
    """Measures of likeness to the style, to the content, or of the picture alone.

    Example:
        @hookimpl
        def nst_losses():
            yield LossSpec(name="mean", factory="my_package.mean:Mean", role="style", shape="statistic")
    """
