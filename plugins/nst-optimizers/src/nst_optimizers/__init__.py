"""L-BFGS, Adam, RMSprop on a pyramid and SciPy's L-BFGS-B: what they are called and take, without importing them."""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import OptimizerSpec, Option

LBFGS = OptimizerSpec(
    name="lbfgs",
    factory="nst_optimizers.lbfgs:lbfgs",
    state_bytes="nst_optimizers.lbfgs:state_bytes",
    summary="limited-memory BFGS on the backend's own arrays: the most progress per step",
    options=(
        Option(
            "history",
            0,
            "curvature pairs kept, at the memory of two images each; 0 is as many as fit in 1 GiB, from 3 to 20",
            minimum=0,
            maximum=200,
        ),
        Option("lr", 1.0, "length each line search tries first, 1 being the whole step", minimum=0.01, maximum=2),
    ),
    requires=("array_api_compat",),
    install="nst-optimizers",
)

ADAM = OptimizerSpec(
    name="adam",
    factory="nst_optimizers.adam:adam",
    state_bytes="nst_optimizers.adam:state_bytes",
    summary="Adam on the backend's own arrays: steady small steps, at the memory of two images",
    options=(
        Option("lr", 0.02, "change of a pixel per step, of 0..1", minimum=1e-6, maximum=1),
        Option("beta1", 0.9, "share of the gradient's running mean kept each step", minimum=0, maximum=0.9999),
        Option("beta2", 0.99, "share of its running mean square kept each step", minimum=0, maximum=0.9999),
        Option("epsilon", 1e-8, "added to the root of the mean square", minimum=1e-16, maximum=1),
    ),
    requires=("array_api_compat",),
    install="nst-optimizers",
    carries=True,
)

LAPLACIAN_RMSPROP = OptimizerSpec(
    name="laplacian-rmsprop",
    factory="nst_optimizers.laplacian_rmsprop:laplacian_rmsprop",
    state_bytes="nst_optimizers.laplacian_rmsprop:state_bytes",
    summary="RMSprop on a Laplacian pyramid, as STROTSS does: large shapes move together, at the memory of two images",
    options=(
        Option("lr", 0.002, "change of a pixel per step and level, of 0..1", minimum=1e-6, maximum=1),
        Option("alpha", 0.99, "share of the gradient's running mean square kept each step", minimum=0, maximum=0.9999),
        Option(
            "levels",
            6,
            "levels of the pyramid, each half the size of the last; 1 is plain RMSprop",
            minimum=1,
            maximum=16,
        ),
        Option("epsilon", 1e-8, "added to the root of the mean square", minimum=1e-16, maximum=1),
    ),
    requires=("array_api_compat",),
    install="nst-optimizers",
)

SCIPY_LBFGS = OptimizerSpec(
    name="scipy-lbfgs",
    factory="nst_optimizers.scipy_lbfgs:scipy_lbfgs",
    state_bytes="nst_optimizers.scipy_lbfgs:state_bytes",
    summary="SciPy's L-BFGS-B on the host in float64: slower, and keeps pixels in 0..1",
    options=(
        Option("history", 10, "curvature pairs kept, at the memory of four images each", minimum=1, maximum=200),
        Option("bounded", True, "keep pixels in 0..1 at every step"),
    ),
    requires=("array_api_compat", "scipy"),
    install="nst-optimizers",
    resumable=False,
)


@hookimpl
def nst_optimizers() -> Iterator[OptimizerSpec]:
    """Four ways down an objective."""
    yield LBFGS
    yield ADAM
    yield LAPLACIAN_RMSPROP
    yield SCIPY_LBFGS
