"""The regions of a job: which styles apply where, and where the content stays unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import Image, ImageFilter

from nst import images
from nst.engine.masks import Mask
from nst.engine.terms import Region
from nst.images import Picture, color_transfer, transparency
from nst.job.inputs import Inputs, Style
from nst.job.validation import Sized, each_scale
from nst.protocols import Pixels
from nst.recipe.recipe import Recipe

FEATHERED = 256
"""The long side of an image whose protected parts have ramps of two pixels; larger images have longer ramps."""


def regions(inputs: Inputs, recipe: Recipe) -> list[Region]:
    """Return the unmasked region, if it has styles, and the masked ones; a style's share is divided by its images.

    The style images have the colors that the recipe's color mode asks for.
    """
    rest, masks = _masks(inputs)
    style_images = _scaled_style_images(inputs, recipe)
    parts = []
    if inputs.styles:
        parts.append(_region(inputs.styles, recipe.style_blend, style_images, rest, ""))
    for region, mask in zip(inputs.masked_regions, masks, strict=True):
        parts.append(_region(region.styles, (), style_images, mask, region.name))
    return parts


def start(parts: Sequence[Region], content: Pixels, make: Callable[[Sequence[Pixels]], Pixels]) -> Pixels:
    """Return the initial image: `make(styles)` inside each region, the content outside, all `(H, W, 3)`."""
    if all(part.mask is None for part in parts):
        return make([style for part in parts for style in _weighted_styles(part)])
    masks = [images.resize(part.mask, _shape(content))[..., None] for part in parts if part.mask is not None]
    rest = np.clip(1 - sum(masks), 0, None)
    mixed = rest * content + sum(mask * make(_weighted_styles(part)) for mask, part in zip(masks, parts, strict=True))
    return (mixed / (rest + sum(masks))).astype(np.float32)


def _weighted_styles(part: Region) -> list[Pixels]:
    """Return the styles that have a share; hidden parts have the statistics of the visible ones."""
    alphas = part.alphas or [None] * len(part.styles)
    return [
        style if alpha is None else transparency.repeated(style, alpha)
        for style, alpha, share in zip(part.styles, alphas, part.blend, strict=True)
        if share
    ]


def finished(inputs: Inputs, recipe: Recipe, pixels: Pixels) -> Pixels:
    """Return the stylized image with the recipe's colors, and with the content wherever no style applies."""
    stylized = color_transfer.finished(recipe.color, pixels, inputs.content.pixels)
    kept = _kept(inputs, _shape(pixels))
    if kept is None:
        return stylized
    content = images.resize(inputs.content.pixels, _shape(pixels))
    mixed: Pixels = (kept[..., None] * content + (1 - kept[..., None]) * stylized).astype(np.float32)
    return mixed


def _kept(inputs: Inputs, shape: tuple[int, int]) -> Mask | None:
    """Return the content's share of each pixel `(H, W)`, 0..1, or None where the whole image is stylized."""
    protect = None if inputs.protect is None else _feathered(images.resize(inputs.protect, shape))
    if inputs.styles:
        return protect
    unmasked = np.clip(1 - sum(images.resize(region.mask, shape) for region in inputs.masked_regions), 0, 1)
    return unmasked if protect is None else np.maximum(unmasked, protect)


def _feathered(mask: Mask) -> Mask:
    """Return the mask with a ramp of a few pixels outside its edges; what is white stays white."""
    radius = max(1, round(max(mask.shape) / FEATHERED))
    image = Image.fromarray(np.round(255 * mask).astype(np.uint8))
    ramp = image.filter(ImageFilter.MaxFilter(2 * radius + 1)).filter(ImageFilter.BoxBlur(radius))
    return np.maximum(mask, np.asarray(ramp, np.float32) / 255)


def masked(inputs: Inputs) -> list[float]:
    """Return the area of each masked region's bounding box, as a share of the image; 1 for the rest of the image."""
    partial = inputs.masked_regions or inputs.protect is not None or inputs.content.alpha is not None
    rest = [1.0] if inputs.styles and partial else []
    return rest + [_bounds(region.mask) for region in inputs.masked_regions]


def _bounds(mask: Mask) -> float:
    sides = [np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1)]
    return float(np.prod([side[-1] + 1 - side[0] for side in sides])) / mask.size


def protected(inputs: Inputs) -> Mask | None:
    """Return the mask that protects the content, at the content's size."""
    return None if inputs.protect is None else images.resize(inputs.protect, _shape(inputs.content.pixels))


def _masks(inputs: Inputs) -> tuple[Mask | None, list[Mask]]:
    """Return the mask of the unmasked region, None for everywhere, and the other masks, minus the protected area."""
    shape, protect = _shape(inputs.content.pixels), protected(inputs)
    masks = [images.resize(region.mask, shape) for region in inputs.masked_regions]
    rest = np.clip(1 - sum(masks), 0, 1).astype(np.float32) if masks else None
    if protect is None:
        return rest, masks
    return 1 - protect if rest is None else rest * (1 - protect), [mask * (1 - protect) for mask in masks]


def _scaled_style_images(inputs: Inputs, recipe: Recipe) -> Iterator[tuple[Pixels, float, Mask | None]]:
    """Return every style image with the recipe's colors, its size relative to the content, and its alpha."""
    styles = inputs.all_styles()
    style_scales = zip(styles, each_scale(recipe.style_scale, len(styles)), strict=True)
    scales = [scale for style, scale in style_scales for _ in style.images]
    style_images = inputs.style_images()
    pixels = [_recolored(recipe.color, image, inputs.content) for image in style_images]
    return iter(zip(pixels, scales, [image.alpha for image in style_images], strict=True))


def _recolored(mode: str, style: Picture, content: Picture) -> Pixels:
    """Return the style image with the colors of a mode, which looks at visible pixels only."""
    (colors,) = color_transfer.prepared(mode, [transparency.visible(style)], transparency.visible(content))
    return transparency.recolored(style, colors)


def _region(
    styles: Sequence[Style],
    blend: Sequence[float],
    style_images: Iterator[tuple[Pixels, float, Mask | None]],
    mask: Mask | None,
    name: str,
) -> Region:
    """Return a region with these styles, taking the next images from `style_images`."""
    weighted = list(zip(styles, blend or (1.0,) * len(styles), strict=True))
    total = sum(weight for _, weight in weighted)
    shares = [weight / total / len(style.images) for style, weight in weighted for _ in style.images]
    pixels, scales, alphas = zip(*(next(style_images) for _ in shares), strict=True)
    return Region(pixels, shares, mask, name, scales, alphas)


def image_shapes(inputs: Inputs, scales: Sequence[float]) -> list[Sized]:
    """Return the shapes of content and style images, in order, each style image with the scale of its style."""
    styles = inputs.all_styles()
    style_scales = zip(styles, each_scale(scales, len(styles)), strict=True)
    scaled = [(inputs.content, 1.0), *((image, scale) for style, scale in style_scales for image in style.images)]
    return [
        Sized(picture.source or f"picture {number}", picture.pixels.shape[:2], scale)
        for number, (picture, scale) in enumerate(scaled, start=1)
    ]


def _shape(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[0], pixels.shape[1]
