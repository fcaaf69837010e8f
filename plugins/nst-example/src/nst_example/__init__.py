"""What this plugin offers, without importing NumPy: factories are strings, imported at first use."""

from __future__ import annotations

from collections.abc import Iterator

from nst import BackendSpec, ExecutorSpec, InitializerSpec, Layer, LossSpec, OptimizerSpec, Option, hookimpl

BACKEND = BackendSpec(
    name="example-backend",
    factory="nst_example.backend:FilterBank",
    summary="colors and edges at three scales, in NumPy with autograd's gradients",
    options=(Option("contrast", 4.0, "weight of edges beside colors", minimum=0, maximum=100),),
    requires=("autograd", "numpy"),
    install="nst-example",
    layers=tuple(Layer(f"relu{scale + 1}_1", 2**scale, 2**scale) for scale in range(3)),
    pooling=("max", "average"),
    padding=("replicate", "zero"),
    files="",
)

IMAGE_BACKEND = BackendSpec(
    name="example-image-backend",
    factory="nst_example.image_backend:Recolor",
    summary="the content with the mean and spread of the styles' colors, in one pass",
    options=(Option("strength", 1.0, "from the content's own colors (0) to the styles' (1)", minimum=0, maximum=1),),
    requires=("numpy",),
    install="nst-example",
    kind="image",
    files="",
)

OPTIMIZER = OptimizerSpec(
    name="example-optimizer",
    factory="nst_example.optimizer:descend",
    summary="gradient descent with momentum",
    options=(
        Option("lr", 0.01, "root-mean-square change of the pixels per step, of 0..1", minimum=1e-6, maximum=1),
        Option("momentum", 0.9, "share of the last step kept in the next", minimum=0, maximum=0.999),
    ),
    requires=("array_api_compat",),
    install="nst-example",
)

INITIALIZER = InitializerSpec(
    name="example-initializer",
    factory="nst_example.initializer:sprinkle",
    summary="the content, sprinkled with pixels of the styles",
    options=(Option("share", 0.3, "share of pixels that come from the styles", minimum=0, maximum=1),),
    requires=("numpy",),
    install="nst-example",
)

LOSS = LossSpec(
    name="example-loss",
    factory="nst_example.loss:Mean",
    summary="relative squared distance of mean features",
    install="nst-example",
    role="style",
    shape="statistic",
)

MATCHED_LOSS = LossSpec(
    name="example-matched-loss",
    factory="nst_example.matched_loss:Nearest",
    summary="features of the style's most similar positions (after Li & Wand 2016)",
    requires=("numpy",),
    install="nst-example",
    role="style",
    shape="matched",
)

EXECUTOR = ExecutorSpec(
    name="example-executor",
    factory="nst_example.executor:execute",
    summary="this very process, one picture after another",
    options=(Option("pause", 0.0, "rest after each picture", minimum=0, maximum=3600, unit="s"),),
    install="nst-example",
    isolated=False,
)


@hookimpl
def nst_backends() -> Iterator[BackendSpec]:
    """Networks that can stylize."""
    yield BACKEND
    yield IMAGE_BACKEND


@hookimpl
def nst_optimizers() -> Iterator[OptimizerSpec]:
    """Ways down an objective."""
    yield OPTIMIZER


@hookimpl
def nst_initializers() -> Iterator[InitializerSpec]:
    """Pictures to start from."""
    yield INITIALIZER


@hookimpl
def nst_losses() -> Iterator[LossSpec]:
    """Measures of likeness."""
    yield LOSS
    yield MATCHED_LOSS


@hookimpl
def nst_executors() -> Iterator[ExecutorSpec]:
    """Places where folders are painted."""
    yield EXECUTOR
