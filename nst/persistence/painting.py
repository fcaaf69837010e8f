"""The Python call: `nst.stylize`, and its result, which is saved with everything that `nst stylize` saves."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
from PIL import Image

from nst import images
from nst.engine.level_run import OnIterate
from nst.errors import Findings
from nst.images import ImageSource, PathLike, Picture, WriteOptions
from nst.job.inputs import Sources
from nst.job.job import Job, Result
from nst.persistence import provenance
from nst.persistence.provenance import Record
from nst.plugins.host import Plugins
from nst.recipe.keywords import RecipeKeywords
from nst.recipe.recipe import Recipe, preset, read_fields
from nst.recipe.schedule import schedule_note

StyleImages = ImageSource | Sequence[ImageSource]


@dataclass(frozen=True, repr=False)
class Painting(Result):
    """The result of `nst.stylize`.

    `record` is the provenance record that `save` writes into the file. Jupyter shows the picture.
    """

    record: Record = field(default_factory=lambda: Record(Recipe()))
    content: Picture | None = None

    @property
    def image(self) -> Image.Image:
        """The picture as a Pillow image, 8 bits per channel: RGB, or RGBA if the content has transparent parts."""
        channels = self.pixels if self.alpha is None else np.dstack([self.pixels, self.alpha])
        return Image.fromarray(np.rint(255 * channels).astype(np.uint8))

    def save(
        self,
        path: PathLike,
        *,
        bit_depth: Literal["auto", "8", "16"] = "auto",
        metadata: Literal["keep", "strip"] = "keep",
        keep_profile: bool = False,
        quality: int = 95,
    ) -> Path:
        """Write the picture as `nst stylize` does, in the format of the suffix, and return the path.

        The file contains the provenance record, which `nst rerun` reads, and of the content its transparency, color
        profile (with `keep_profile`), resolution and metadata without the location. 16 bits per channel stay 16 where
        the format has them. Raises `UserError` for a path or an option that no picture can be written with, and
        `NstError` for a failure of the disk.
        """
        options = WriteOptions(bit_depth, metadata, keep_profile, quality)
        if error := images.check_output(path, options):
            raise error
        text = {"nst": json.dumps(replace(self.record, options=options).to_dict())}
        return images.write(path, self.pixels, alpha=self.alpha, text=text, like=self.content, options=options)

    def __repr__(self) -> str:
        """Return the size, the backend and the number of steps: `<Painting 512×384, torch-vgg19, 145 steps>`."""
        height, width = self.pixels.shape[:2]
        steps = f"{len(self.history)} steps" if self.history else "one pass"
        ending = "" if self.stopped == "finished" else f", {self.stopped}"
        return f"<Painting {width}×{height}, {self.recipe.backend}, {steps}{ending}>"

    def _repr_png_(self) -> bytes:
        """Return the picture as a PNG file, which notebooks show."""
        file = io.BytesIO()
        self.image.save(file, "PNG")
        return file.getvalue()


def stylize(
    content: ImageSource,
    styles: StyleImages,
    recipe: Recipe | None = None,
    *,
    preset: str | None = None,
    masks: Sequence[tuple[ImageSource, StyleImages]] = (),
    protect: ImageSource | None = None,
    max_pixels: int | None = None,
    on_iterate: OnIterate | None = None,
    plugins: Plugins | None = None,
    **fields: Unpack[RecipeKeywords],
) -> Painting:
    """Stylize an image.

    Images are paths, bytes or open files of pictures, Pillow images, or arrays `(H, W, 3)`: uint8, uint16, or floats in
    0..1. `styles` is one or a list; a folder is one style of several images. Each of `masks` is a mask with the style
    images of its white part; `protect` is white where the content stays as it is. `fields` are fields of `Recipe`,
    which override `preset`, which overrides `recipe`.

    `on_iterate` is called after every step with a `nst.engine.Progress`. It may raise `nst.engine.Stop` to end the run.
    After `Stop` or Ctrl-C the result is the best image so far, with `stopped="interrupted"`. Prints nothing. Raises
    `UserError` with every mistake in the arguments, before any framework is imported.
    """
    findings = Findings()
    base = recipe or Recipe()
    values, errors = _values(preset, fields, findings)
    chosen = base.override(**values)
    sources = Sources(content, _listed(styles), [(mask, _listed(own)) for mask, own in masks], protect, max_pixels)
    note = "" if "sizes" in values else schedule_note(base, chosen)
    job = Job(
        sources,
        chosen,
        plugins,
        errors=[*findings.errors, *errors],
        chosen=fields.keys(),
        notes=[note] if note else [],
    )
    result = job.stylize(on_iterate)
    parts = {name: getattr(result, name) for name in Result.__dataclass_fields__}
    return Painting(**parts, record=provenance.record(job), content=job.content)


def _values(name: str | None, fields: RecipeKeywords, findings: Findings) -> tuple[dict[str, Any], list[Any]]:
    """Return the fields of a preset, overridden by `fields`, and the errors of reading them."""
    values = (findings.attempt(lambda: preset(name)) or {}) if name else {}
    return read_fields({**values, **fields})


def _listed(styles: StyleImages) -> list[Any]:
    return list(styles) if isinstance(styles, list | tuple) else [styles]
