"""Pictures to start from: what they are called and take, without importing NumPy."""

from __future__ import annotations

from collections.abc import Iterator

from nst.hookspecs import hookimpl
from nst.specs import InitializerSpec, Option

NOISE_RATIO = Option("ratio", 1.0, "share of noise, from 0, the content alone, to 1, noise alone", minimum=0, maximum=1)
NOISE_OPTIONS = (
    NOISE_RATIO,
    Option("distribution", "uniform", "how values are distributed", choices=("uniform", "normal")),
    Option("mean", 0.5, "mean of the noise, of 0..1; not used with match", minimum=0, maximum=1),
    Option("std", 0.2, "standard deviation of the noise, of 0..1; not used with match", minimum=0, maximum=1),
    Option(
        "match",
        "none",
        "whose mean and standard deviation the noise takes, channel by channel",
        choices=("none", "content", "style"),
    ),
)


def _spec(name: str, factory: str, summary: str, *options: Option) -> InitializerSpec:
    factory = f"nst_initializers.{factory}"
    return InitializerSpec(name, factory, summary, options, requires=("numpy",), install="nst-initializers")


@hookimpl
def nst_initializers() -> Iterator[InitializerSpec]:
    """Seven starts, from the content itself to pure noise."""
    yield _spec("content", "pictures:content", "the content as it is")
    yield _spec("style", "pictures:style", "the first style, scaled and cropped to cover the content")
    yield _spec("noise", "noise:noise", "noise, alone or mixed with the content", *NOISE_OPTIONS)
    ratio = Option("ratio", 0.5, "share of the styles, from 0, the content alone, to 1", minimum=0, maximum=1)
    yield _spec("blend", "pictures:blend", "the content mixed with the mean of the styles", ratio)
    value = Option("value", 0.5, "the gray, from 0, black, to 1, white", minimum=0, maximum=1)
    yield _spec("gray", "pictures:gray", "one flat gray", value)
    yield _spec("style-stats", "style_stats:style_stats", "the content in the styles' colors")
    yield _spec("random-phase", "random_phase:random_phase", "noise with the styles' own colors and grain", NOISE_RATIO)
