"""Pictures in and out, as photographers have them.

Any file Pillow reads becomes a `Picture`: upright, in sRGB, alpha apart, at the file's own depth, with what should
come back at the end. `Pixels` become a whole file or none. Every error is a `UserError` that names the file, but a
write that fails at the disk or in the encoder is an `NstError`.

`source` opens files and says why it cannot, `reader` decodes, `deep` does so for 16 bits a channel, `profile` knows
colors, `metadata` what travels beside the pixels, `size` resizes, `writer` writes.
"""

from nst.images.metadata import read_text
from nst.images.picture import Floats, Picture
from nst.images.reader import check_input, load_image, read
from nst.images.size import fit, resize, stretch
from nst.images.source import MAX_PIXELS, ImageSource, PathLike
from nst.images.writer import LONGEST_NAME, SUFFIXES, WriteOptions, check_output, save_image, write

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
    "load_image",
    "read",
    "read_text",
    "resize",
    "save_image",
    "stretch",
    "write",
]
