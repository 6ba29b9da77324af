"""Encoded images as arrays of one size and one number of channels, with limits against decompression bombs."""

import io
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

from nas.errors import DataError
from nas.training.data.source import Size
from nas.training.data.split import Images, Labels, Split
from nas.training.data.untrusted import MAX_BYTES

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 50_000_000  # per image before scaling; larger than photographs are
MAX_ENCODED = 64 << 20  # bytes per image file
PREPARATION = "of image files, what is transparent is composited on white"
"""What a card says of images that `prepare_image` made, whichever they are."""
DEEP = {"I;16", "I;16L", "I;16B", "I;16N"}
GRAY, COLOR = {"1", "L", "LA", *DEEP}, {"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"}
PALETTE = {"P", "PA"}
DAMAGED = "with damaged metadata (read nevertheless)"
TURNED = range(5, 9)  # orientations in which height and width are exchanged
SMALL, LARGE = 16, 64  # between which an image_size is suggested, in steps of the former


def open_image(content: bytes) -> Image.Image:
    """Return an image of which the header is read.

    Raises any exception of Pillow for damaged bytes, and ValueError for an image that is too large or of a kind that is
    not read.
    """
    if len(content) > MAX_ENCODED:
        raise ValueError(f"{len(content):,} bytes; at most {MAX_ENCODED:,} are read per image")
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        except UnidentifiedImageError:
            raise ValueError("not a PNG, JPEG, WebP, BMP or TIFF, whatever its name") from None
    check_image(image)
    return image


def check_image(image: Image.Image) -> None:
    """Raise ValueError for an image that is too large or of a kind that is not read."""
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels; at most {MAX_PIXELS:,} are read")
    if image.mode not in GRAY | COLOR:
        raise ValueError(f"pixels of mode {image.mode}; 8 or 16 bits per channel are read. Save it as 8 bits")
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        raise ValueError("CMYK that does not say whether its values are inverted; save it as RGB")


def prepare_image(image: Image.Image, size: Size | None) -> Image.Image:
    """Return an image in mode L or RGB, upright; with `size`, its central part of that shape scaled to it.

    What is transparent shows white, and of 16 bits the upper 8 are kept. Raises any exception of Pillow for damaged
    bytes.
    """
    mode = "L" if image.mode in GRAY else "RGB"
    upright = ImageOps.exif_transpose(_in_bytes(image))
    converted = (_on_white(upright) if upright.has_transparency_data else upright).convert(mode)
    return ImageOps.fit(converted, size[::-1], Image.Resampling.BICUBIC) if size else converted


def _in_bytes(image: Image.Image) -> Image.Image:
    if image.mode not in DEEP:
        return image
    upright = ImageOps.exif_transpose(image)
    return Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA"))


def _orientation(image: Image.Image) -> int:
    return int(image.getexif().get(Base.Orientation, 1))


def _notes(image: Image.Image) -> Iterator[str]:
    """Yield what there is to say of an image whose pixels were not read yet."""
    if image.mode in DEEP or any(";16" in str(tile) for tile in getattr(image, "tile", ())):
        yield "of 16 bits (the upper 8 are kept)"
    if image.mode in GRAY:
        yield "gray"
    if image.mode in PALETTE:
        yield "with a palette"
    if image.mode == "CMYK":
        yield "in CMYK"
    if image.has_transparency_data:
        yield "with transparency (shown on white)"
    if getattr(image, "is_animated", False) and image.format != "MPO":
        yield "of several frames (the first is read)"
    if _orientation(image) > 1:
        yield "turned upright"


class ImageSizeError(DataError):
    """Images that need an image_size: of several sizes, or too large for memory. suggested: pixels a side that suit."""

    def __init__(self, message: str, suggested: int = LARGE) -> None:
        super().__init__(message)
        self.suggested = suggested


class ImageStack:
    """An array of `count` images, filled one by one; grayscale if all of them are. place: of the images, for errors."""

    def __init__(self, count: int, size: Size | None, place: Path | str) -> None:
        self.count, self.size, self.place, self.filled, self.color = count, size, place, 0, False
        self._images: Images | None = None
        self._sizes, self._notes = Counter[tuple[int, int]](), Counter[str]()

    def add(self, content: bytes) -> None:
        """Decode the next image. Raises as `open_image` does, and DataError for more than can be kept in memory."""
        with self._noting_warnings():
            self._add(open_image(content))

    def add_image(self, image: Image.Image) -> None:
        """Add the next image. Raises as `prepare_image` does, and DataError for more than can be kept in memory."""
        with self._noting_warnings():
            self._add(image)

    @contextmanager
    def _noting_warnings(self) -> Iterator[None]:
        """Count an image of which Pillow says that something is wrong, and that it goes on."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        if caught:
            self._notes[DAMAGED] += 1

    def _add(self, image: Image.Image) -> None:
        self._notes.update(_notes(image))
        width, height = image.size
        turned = _orientation(image) in TURNED and image.format != "TIFF"  # whose header tells the upright size
        self._sizes[(height, width) if turned else (width, height)] += 1
        if self._differ():
            return  # there will be an error, which tells the sizes of all images
        prepared = prepare_image(image, self.size)
        pixels = np.asarray(prepared)
        images = self._array(*pixels.shape[:2])
        self.color |= prepared.mode == "RGB"
        images[self.filled] = pixels.transpose(2, 0, 1) if prepared.mode == "RGB" else pixels
        self.filled += 1

    def _differ(self) -> bool:
        return self.size is None and len(self._sizes) > 1

    def _array(self, height: int, width: int) -> Images:
        if self._images is None:
            if 3 * self.count * height * width > MAX_BYTES:
                raise ImageSizeError(
                    f"{self.place}: {self.count:,} images of {width} x {height} pixels take more than "
                    f"{MAX_BYTES >> 30} GiB; set a smaller image_size",
                    suggested_size(self._sizes),
                )
            self._images = np.empty((self.count, 3, height, width), np.uint8)
        return self._images

    def split(self, labels: Labels) -> Split:
        """Return all images, (n, 1 or 3, height, width), with labels (n,). Raises DataError for different sizes."""
        if self._differ():
            usual = self._sizes.most_common(1)[0][1]
            size = suggested_size(self._sizes)
            raise ImageSizeError(
                f"{self.place}: images differ in size: {self.count - usual:,} of {self.count:,} are not of the most "
                f"frequent, {_range(self._sizes)}; set image_size, e.g. {size}",
                size,
            )
        assert self._images is not None
        images = self._images if self.color else np.ascontiguousarray(self._images[:, :1])
        return Split(images, labels, dict(self._all_notes()))

    def _all_notes(self) -> Iterator[tuple[str, int]]:
        if len(self._sizes) > 1:
            yield f"unlike the most frequent size ({_range(self._sizes)})", self.count - max(self._sizes.values())
        yield from self._notes.items()


def suggested_size(sizes: Counter[tuple[int, int]]) -> int:
    """Return a side in pixels for images of some sizes: their median shorter side, 64 at most, in steps of 16."""
    sides = sorted(min(size) for size in sizes.elements())
    median = sides[len(sides) // 2]
    return median if median < SMALL else min(median, LARGE) // SMALL * SMALL


def _range(sizes: Counter[tuple[int, int]]) -> str:
    least, most = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
    return f"{least[0]} x {least[1]} to {most[0]} x {most[1]} pixels"
