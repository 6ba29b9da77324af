"""PNG and JPEG bytes as arrays: one size, one number of channels, and no picture that unfolds to gigabytes."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nas.training.data.split import Images
from nas.training.data.untrusted import MAX_BYTES

MAX_PIXELS = 50_000_000  # of one picture before scaling; a larger one is no photograph
MAX_ENCODED = 64 << 20  # bytes of one picture's file
GRAY, COLOUR = {"1", "L", "LA"}, {"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"}


def decode(content: bytes, size: int | None) -> Image.Image:
    """A picture in mode L or RGB; with `size`, its middle square scaled to so many pixels a side.

    Raises whatever Pillow raises for damaged bytes, and ValueError for a picture too large or of another depth.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
        except UnidentifiedImageError:
            raise ValueError("no PNG and no JPEG, whatever it is called") from None
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"{picture.width} x {picture.height} pixels; at most {MAX_PIXELS:,} are read")
    if picture.mode not in GRAY | COLOUR:
        raise ValueError(f"pixels of mode {picture.mode}; 8 bits a channel are read")
    plain = picture.convert("L" if picture.mode in GRAY else "RGB")
    return ImageOps.fit(plain, (size, size), Image.Resampling.BICUBIC) if size else plain


class Stack:
    """Room for `count` pictures, filled one by one: gray while all are gray."""

    def __init__(self, count: int, size: int | None) -> None:
        self.count, self.size, self.filled, self.colour = count, size, 0, False
        self._images: Images | None = None

    def add(self, content: bytes) -> None:
        """Decode the next picture. Raises as `decode` does, and ValueError when its size is not the first one's."""
        if len(content) > MAX_ENCODED:
            raise ValueError(f"{len(content):,} bytes; a picture of at most {MAX_ENCODED:,} is read")
        picture = decode(content, self.size)
        pixels = np.asarray(picture)
        images = self._room(*pixels.shape[:2])
        if pixels.shape[:2] != images.shape[2:]:
            raise ValueError(f"{picture.width} x {picture.height} pixels, unlike the first; set image_size")
        self.colour |= picture.mode == "RGB"
        images[self.filled] = pixels.transpose(2, 0, 1) if picture.mode == "RGB" else pixels
        self.filled += 1

    def _room(self, height: int, width: int) -> Images:
        if self._images is None:
            if 3 * self.count * height * width > MAX_BYTES:
                raise ValueError(
                    f"{self.count:,} pictures of {width} x {height} pixels take more than {MAX_BYTES >> 30} GiB; "
                    "set a smaller image_size"
                )
            self._images = np.empty((self.count, 3, height, width), np.uint8)
        return self._images

    def images(self) -> Images:
        """All pictures, (n, 1 or 3, height, width)."""
        assert self._images is not None
        return self._images if self.colour else np.ascontiguousarray(self._images[:, :1])
