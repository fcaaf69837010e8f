"""Read and write pictures with their color profile, depth, transparency and metadata.

A file that Pillow reads becomes a `Picture`: upright, in sRGB, alpha apart, at the file's own depth. `Pixels` are
written atomically. Errors are `UserError`s that name the file; a failure of the disk or of an encoder is an `NstError`.

`source` opens files, `reader` decodes them, `deep` and `tiff` decode 16 bits per channel, `profile` converts colors,
`metadata` copies EXIF and stores text, `transparency` fills hidden parts, `size` resizes, `writer` writes.
"""

from nst.images.metadata import read_text
from nst.images.picture import Floats, Picture
from nst.images.reader import check_input, load_image, read
from nst.images.size import fit, resize, stretch
from nst.images.source import MAX_PIXELS, ImageSource, PathLike
from nst.images.writer import LONGEST_NAME, SUFFIXES, WriteOptions, check_output, has_alpha, save_image, write

__all__ = [
    "LONGEST_NAME",
    "MAX_PIXELS",
    "SUFFIXES",
    "Floats",
    "ImageSource",
    "PathLike",
    "Picture",
    "WriteOptions",
    "check_input",
    "check_output",
    "fit",
    "has_alpha",
    "load_image",
    "read",
    "read_text",
    "resize",
    "save_image",
    "stretch",
    "write",
]
