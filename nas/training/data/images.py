"""PNG and JPEG bytes as arrays of one size and one number of channels, with limits against decompression bombs."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nas.training.data.source import Size
from nas.training.data.split import Images
from nas.training.data.untrusted import MAX_BYTES

MAX_PIXELS = 50_000_000  # per image before scaling; larger than photographs are
MAX_ENCODED = 64 << 20  # bytes per image file
BIT_DEPTH = 24  # its place in a PNG
PREPARATION = "of image files, what is transparent is composited on white"
"""What a card says of images that `decode_image` read, whichever they are."""
GRAY, COLOR = {"1", "L", "LA"}, {"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"}


def decode_image(content: bytes, size: Size | None) -> Image.Image:
    """Return an image in mode L or RGB, upright; with `size`, its central part of that shape scaled to it.

    What is transparent shows white. Raises any exception of Pillow for damaged bytes, and ValueError for an image too
    large or of another bit depth.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
        except UnidentifiedImageError:
            raise ValueError("not a PNG or JPEG, whatever its name") from None
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels; at most {MAX_PIXELS:,} are read")
    if image.mode not in GRAY | COLOR or (image.format == "PNG" and content[BIT_DEPTH] == 16):
        raise ValueError(f"pixels of mode {image.mode}; 8 bits per channel are read")
    if image.mode == "CMYK" and "adobe" not in image.info:
        raise ValueError("CMYK that does not say whether its values are inverted; save it as RGB")
    mode = "L" if image.mode in GRAY else "RGB"
    upright = ImageOps.exif_transpose(image)
    converted = (_on_white(upright) if upright.has_transparency_data else upright).convert(mode)
    return ImageOps.fit(converted, size[::-1], Image.Resampling.BICUBIC) if size else converted


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA"))


class ImageStack:
    """An array of `count` images, filled one by one; grayscale if all of them are."""

    def __init__(self, count: int, size: Size | None) -> None:
        self.count, self.size, self.filled, self.color = count, size, 0, False
        self._images: Images | None = None

    def add(self, content: bytes) -> None:
        """Decode the next image. Raises as `decode_image` does, and ValueError when its size is not the first one's."""
        if len(content) > MAX_ENCODED:
            raise ValueError(f"{len(content):,} bytes; at most {MAX_ENCODED:,} are read per image")
        image = decode_image(content, self.size)
        pixels = np.asarray(image)
        images = self._array(*pixels.shape[:2])
        if pixels.shape[:2] != images.shape[2:]:
            raise ValueError(f"{image.width} x {image.height} pixels, unlike the first; set image_size")
        self.color |= image.mode == "RGB"
        images[self.filled] = pixels.transpose(2, 0, 1) if image.mode == "RGB" else pixels
        self.filled += 1

    def _array(self, height: int, width: int) -> Images:
        if self._images is None:
            if 3 * self.count * height * width > MAX_BYTES:
                raise ValueError(
                    f"{self.count:,} images of {width} x {height} pixels take more than {MAX_BYTES >> 30} GiB; "
                    "set a smaller image_size"
                )
            self._images = np.empty((self.count, 3, height, width), np.uint8)
        return self._images

    def images(self) -> Images:
        """Return all images, (n, 1 or 3, height, width)."""
        assert self._images is not None
        return self._images if self.color else np.ascontiguousarray(self._images[:, :1])
