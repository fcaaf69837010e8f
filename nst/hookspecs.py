"""The hooks that a plugin may implement, each with a complete example. All of them are optional.

A hook takes no arguments and yields frozen specs. The module that implements it is named in the distribution's
`nst.v1` entry-point group: the plugin's entry module. A factory is a string, so that listing plugins never imports a
framework.

What every plugin promises, and `nst plugins check` finds out: It can be loaded, and implements hooks that nst knows.
Its entry module imports nst and the standard library only. Its names are lowercase words with dashes, and no other
distribution's. Everything it offers is summarized in a line. Its options have a name of lowercase words with
underscores, a help text, and a default that is allowed. Its losses have a shape that their role takes, its backends
layers that can be named, and the device and pooling of those who say nothing. The modules it requires are here, and it
tells what pip installs for them. Its factories can be imported, and take what they are called with, their options among
it. Its weights tell their origin and license, and can be looked for without a framework. Its distribution requires nst,
and tells which versions. Its distribution has a README and a license.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from nst.specs import BackendSpec, ExecutorSpec, InitializerSpec, LossSpec, OptimizerSpec

PROJECT = "nst"
ENTRY_POINT_GROUP = "nst.v1"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nst_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Yield the specs of networks that can stylize.

    Example:

        @hookimpl
        def nst_backends():
            yield BackendSpec(name="my-net", factory="my_package.net:Net", layers=(Layer("relu1_1", 1, 1),))
    """


@hookspec
def nst_optimizers() -> Iterable[OptimizerSpec]:  # type: ignore[empty-body]
    """Yield the specs of optimizers.

    Example:

        @hookimpl
        def nst_optimizers():
            lr = Option("lr", 0.1, "step length per unit of gradient", minimum=0)
            yield OptimizerSpec(name="gradient-descent", factory="my_package.descent:descend", options=(lr,))
    """


@hookspec
def nst_initializers() -> Iterable[InitializerSpec]:  # type: ignore[empty-body]
    """Yield the specs of initializers: the images that an optimization starts from.

    Example:

        @hookimpl
        def nst_initializers():
            yield InitializerSpec(name="mirror", factory="my_package.starts:mirror", summary="the content, mirrored")
    """


@hookspec
def nst_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
    """Yield the specs of losses: on style, on content, or on the image alone.

    Example:

        @hookimpl
        def nst_losses():
            yield LossSpec(name="mean", factory="my_package.mean:Mean", role="style", shape="statistic")
    """


@hookspec
def nst_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
    """Yield the specs of executors, which run the jobs of a batch.

    Example:

        @hookimpl
        def nst_executors():
            slots = Option("slots", 4, "pictures at once", minimum=1)
            yield ExecutorSpec(name="my-cluster", factory="my_package.cluster:execute", options=(slots,), remote=True)
    """
