"""The parts of a picture, each with its styles as they are to be used."""

from __future__ import annotations

from collections.abc import Sequence

from nst.areas import Mask
from nst.inputs import Inputs, Style, masks_over
from nst.protocols import Pixels
from nst.terms import Region


def regions(inputs: Inputs, works: Sequence[Pixels], blend: Sequence[float], scales: Sequence[float]) -> list[Region]:
    """The whole, if any style is for it, then each patch; a style's share is shared out over its works.

    `works` are the pictures of `inputs.works()`, colored; `blend` are the shares of the styles of the whole, none for
    equal ones; `scales` has one size for each of `inputs.every_style()`.
    """
    rest, patches = masks_over(inputs)
    pixels, sizes = iter(works), iter(scales)

    def region(styles: Sequence[Style], blend: Sequence[float], mask: Mask | None, name: str) -> Region:
        shares = [
            share / sum(blend) / len(style.works)
            for style, share in zip(styles, blend, strict=True)
            for _ in style.works
        ]
        own = [size for style in styles for size in [next(sizes)] * len(style.works)]
        return Region([next(pixels) for _ in shares], shares, mask, name, own)

    whole = inputs.styles
    found = [region(whole, blend or (1.0,) * len(whole), rest, "")] if whole else []
    for patch, mask in zip(inputs.patches, patches, strict=True):
        found.append(region(patch.styles, (1.0,) * len(patch.styles), mask, patch.name))
    return found
