"""Folders of images as people have them: each kind of file and each layout is read as meant, or refused."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from training.image_files import encoded, pixels, put

from nas.errors import DataError
from nas.training.data import READERS, Source, load_data
from nas.training.data.images import DAMAGED
from nas.training.data.readers.folder import Folder

FOLDER: Folder = READERS["folder"]  # type: ignore[assignment]
PLAIN = encoded(pixels(8, 6, 3))
DARK, BRIGHT = 20, 230
LOOK = np.full((3, 8, 6), DARK)  # bright above, and red at its left
LOOK[:, :4] = BRIGHT
LOOK[1:, :4, :3] = DARK
GRAYS = np.full((3, 8, 6), DARK)
GRAYS[:, :4] = BRIGHT


def picture(mode: str = "RGB") -> Image.Image:
    array = (GRAYS if mode in ("L", "LA") else LOOK).transpose(1, 2, 0).astype(np.uint8)
    return Image.fromarray(array).convert(mode)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation: int, kind: str) -> bytes:
    """The picture as a camera stores it that was held in this way: turned back, with a note."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    return save(picture().transpose(undo[orientation]), kind, exif=exif, quality=100, subsampling=0, lossless=True)


def black_and_white() -> bytes:
    return save(picture("L").convert("1", dither=Image.Dither.NONE), "TIFF")


def see_through(mode: str) -> bytes:
    """Black that cannot be seen, where the picture is bright."""
    color = picture("RGB" if mode == "RGBA" else "L").point(lambda value: 0 if value == BRIGHT else value)
    alpha = Image.fromarray(np.where(GRAYS[0] == BRIGHT, 0, 255).astype(np.uint8))
    color.putalpha(alpha)
    return save(color, "PNG")


def palette(transparency: int | None = None) -> bytes:
    image = Image.fromarray(np.where(GRAYS[0] == BRIGHT, 1, 0).astype(np.uint8))
    image.putpalette([DARK] * 3 + [BRIGHT] * 3)
    return save(image, "PNG", **({} if transparency is None else {"transparency": transparency}))


def deep_color() -> bytes:
    """A PNG with 16 bits per channel, which Pillow does not write."""
    rows = (LOOK.transpose(1, 2, 0) * 257).astype(">u2")
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 6, 8, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def deep_gray(kind: str, order: str = "<") -> bytes:
    return save(Image.fromarray((GRAYS[0] * 257).astype(f"{order}u2")), kind)


def frames(kind: str, **options: Any) -> bytes:
    return save(picture(), kind, save_all=True, append_images=[Image.new("RGB", (6, 8), "green")], **options)


CUT_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\x01\0"
FINE = {"quality": 100, "subsampling": 0}
DEEP, PALETTE, TURNED = "of 16 bits (the upper 8 are kept)", "with a palette", "turned upright"
CLEAR, FRAMES = "with transparency (shown on white)", "of several frames (the first is read)"
WHITE = np.where(GRAYS == BRIGHT, 255, DARK)
KINDS: dict[str, tuple[str, Callable[[], bytes], np.ndarray, tuple[str, ...]]] = {
    "PNG": ("1.png", lambda: save(picture(), "PNG"), LOOK, ()),
    "suffix in capitals": ("1.PNG", lambda: save(picture(), "PNG"), LOOK, ()),
    "JPEG": ("1.jpg", lambda: save(picture(), "JPEG", **FINE), LOOK, ()),
    "progressive JPEG": ("1.Jpeg", lambda: save(picture(), "JPEG", progressive=True, **FINE), LOOK, ()),
    "WebP": ("1.webp", lambda: save(picture(), "WEBP", lossless=True), LOOK, ()),
    "BMP": ("1.BMP", lambda: save(picture(), "BMP"), LOOK, ()),
    "TIFF": ("1.tif", lambda: save(picture(), "TIFF"), LOOK, ()),
    "packed TIFF": ("1.TIFF", lambda: save(picture(), "TIFF", compression="tiff_lzw"), LOOK, ()),
    "another kind than its name": ("1.jpg", lambda: save(picture(), "WEBP", lossless=True), LOOK, ()),
    "gray": ("1.png", lambda: save(picture("L"), "PNG"), GRAYS, ("gray",)),
    "gray JPEG": ("1.jpg", lambda: save(picture("L"), "JPEG", **FINE), GRAYS, ("gray",)),
    "black and white": (
        "1.tif",
        lambda: save(picture("L").convert("1", dither=Image.Dither.NONE), "TIFF"),
        np.where(WHITE == 255, 255, 0),
        ("gray",),
    ),
    "palette": ("1.png", palette, GRAYS, (PALETTE,)),
    "palette BMP": ("1.bmp", lambda: save(picture().quantize(4), "BMP"), LOOK, (PALETTE,)),
    "palette with transparency": ("1.png", lambda: palette(1), WHITE, (PALETTE, CLEAR)),
    "RGBA": ("1.png", lambda: see_through("RGBA"), np.where((LOOK == DARK) & (GRAYS == DARK), DARK, 255), (CLEAR,)),
    "gray with transparency": ("1.png", lambda: see_through("LA"), WHITE, ("gray", CLEAR)),
    "CMYK JPEG": ("1.jpg", lambda: save(picture("CMYK"), "JPEG", **FINE), LOOK, ("in CMYK",)),
    "CMYK TIFF": ("1.tif", lambda: save(picture("CMYK"), "TIFF"), LOOK, ("in CMYK",)),
    "16 bits": ("1.png", lambda: deep_gray("PNG"), GRAYS, (DEEP, "gray")),
    "16 bits in color": ("1.png", deep_color, LOOK, (DEEP,)),
    "16 bits in TIFF": ("1.tif", lambda: deep_gray("TIFF"), GRAYS, (DEEP, "gray")),
    "16 bits, big end first": ("1.tif", lambda: deep_gray("TIFF", ">"), GRAYS, (DEEP, "gray")),
    "animated WebP": ("1.webp", lambda: frames("WEBP", lossless=True), LOOK, (FRAMES,)),
    "TIFF of several pages": ("1.tif", lambda: frames("TIFF"), LOOK, (FRAMES,)),
    "JPEG of a stereo camera": ("1.jpg", lambda: frames("MPO", **FINE), LOOK, ()),
    **{f"held as in {turn}": ("1.jpg", partial(turned, turn, "JPEG"), LOOK, (TURNED,)) for turn in range(2, 9)},
    "damaged EXIF": ("1.jpg", lambda: save(picture(), "JPEG", exif=CUT_EXIF, **FINE), LOOK, (DAMAGED,)),
    "turned WebP": ("1.webp", lambda: turned(6, "WEBP"), LOOK, (TURNED,)),
    "turned TIFF": ("1.tif", lambda: turned(8, "TIFF"), LOOK, (TURNED,)),
    "turned PNG": ("1.png", lambda: turned(5, "PNG"), LOOK, (TURNED,)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_file_is_read_as_it_looks(kind: str, tmp_path: Path) -> None:
    name, content, look, notes = KINDS[kind]
    put(tmp_path, {f"a/{name}": content(), "b/1.png": PLAIN})
    split = FOLDER.read(FOLDER.files(tmp_path, "train"), "train", None)
    assert np.abs(split.images[0].astype(int) - look).max() <= 8
    assert split.notes == dict.fromkeys(notes, 1)
    scaled = FOLDER.read(FOLDER.files(tmp_path, "train"), "train", (4, 3)).images[0]
    assert np.abs(scaled[:, 0, 0].astype(int) - look[:, 0, 0]).max() <= 40


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (save(Image.fromarray(np.ones((8, 6), np.float32)), "TIFF"), "pixels of mode F; 8 or 16 bits per channel are"),
        (save(Image.new("RGB", (6, 8)), "GIF"), "not a PNG, JPEG, WebP, BMP or TIFF, whatever its name"),
        (PLAIN[:70], "truncated"),
        (b"", "not a PNG"),
        (b"<html>404</html>", "not a PNG"),
    ],
    ids=["floats", "GIF named otherwise", "cut off", "empty", "a page of errors"],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    put(tmp_path, {"a/1.tif": content, "b/1.png": PLAIN})
    with pytest.raises(DataError, match=rf"a/1\.tif cannot be read: .*{message}.*Repair or remove it"):
        FOLDER.read(FOLDER.files(tmp_path, "train"), "train", None)


Parts = dict[str, dict[str, int]]
LAYOUTS: dict[str, tuple[str, Parts, dict[str, int]]] = {
    "classes alone": ("a/1.png a/2.jpg b/1.png", {"train": {"a": 2, "b": 1}}, {}),
    "train, val, test": (
        "train/a/1.png train/b/1.png val/a/1.png val/b/1.png val/b/2.png test/a/1.png test/b/1.png",
        {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 2}, "test": {"a": 1, "b": 1}},
        {},
    ),
    "train, valid, test, as Roboflow": (
        "train/a/1.jpg train/b/1.jpg valid/a/1.jpg valid/b/1.jpg test/a/1.jpg test/b/1.jpg README.dataset.txt",
        {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}},
        {".txt": 1},
    ),
    "train, test": (
        "train/a/1.png train/b/1.png test/a/1.png test/b/1.png",
        {"train": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}},
        {},
    ),
    "Train, Validation in capitals": (
        "Train/a/1.png Train/b/1.png Validation/a/1.png Validation/b/1.png",
        {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 1}},
        {},
    ),
    "folders in a class": ("a/2019/1.png a/2020/x/1.png b/1.png b/old/1.png", {"train": {"a": 2, "b": 2}}, {}),
    "one folder in each class, as Tiny ImageNet": (
        "train/n1/images/1.JPEG train/n2/images/1.JPEG train/n1/n1_boxes.txt",
        {"train": {"n1": 1, "n2": 1}},
        {".txt": 1},
    ),
    "one name twice": ("a/x/1.png a/y/1.png b/1.png b/1.jpg", {"train": {"a": 2, "b": 2}}, {}),
    "names with spaces and accents": ("été~1/1~(2).png hiver/ö.png", {"train": {"hiver": 1, "été 1": 1}}, {}),
    "names that are numbers": ("10/1.png 2/1.png", {"train": {"10": 1, "2": 1}}, {}),
    "hidden files and folders": (
        "a/1.png b/1.png a/.1.png a/._1.png .git/x.png .DS_Store a/.ipynb_checkpoints/1.png",
        {"train": {"a": 1, "b": 1}},
        {"hidden or a system's": 5},
    ),
    "files of Windows": (
        "a/1.png b/1.png a/Thumbs.db b/desktop.ini $RECYCLE.BIN/a/1.png",
        {"train": {"a": 1, "b": 1}},
        {"hidden or a system's": 3},
    ),
    "files of a Mac's archive": (
        "a/1.png b/1.png __MACOSX/a/1.png a/__MACOSX/1.png",
        {"train": {"a": 1, "b": 1}},
        {"hidden or a system's": 2},
    ),
    "files of a disk": (
        "train/a/1.png train/b/1.png lost+found/1.png train/a/@eaDir/1.png",
        {"train": {"a": 1, "b": 1}},
        {"hidden or a system's": 2},
    ),
    "files that are no images": (
        "a/1.png b/1.png a/notes.txt b/1.gif b/2.GIF labels.csv LICENSE",
        {"train": {"a": 1, "b": 1}},
        {".txt": 1, ".gif": 2, ".csv": 1, "without a suffix": 1},
    ),
    "images beside the classes": (
        "a/1.png b/1.png 1.png 2.jpg",
        {"train": {"a": 1, "b": 1}},
        {"images outside the class folders": 2},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_read_as_meant(layout: str, tmp_path: Path) -> None:
    names, parts, skipped = LAYOUTS[layout]
    put(tmp_path, dict.fromkeys([name.replace("~", " ") for name in names.split()], PLAIN))
    assert list(FOLDER.class_names(tmp_path)) == list(parts["train"])
    assert list(FOLDER.parts(tmp_path)) == list(parts)
    for part in FOLDER.parts(tmp_path):
        labels = FOLDER.read(FOLDER.files(tmp_path, part), part, None).labels
        assert np.bincount(labels).tolist() == list(parts[part].values())
    (tmp_path / ".nas").mkdir()
    assert FOLDER.skipped(tmp_path) == skipped


REFUSED = {
    "images without classes": ("1.png 2.png", "no images in folders of their classes"),
    "train without classes": ("train/1.png test/1.png", "train: no images in folders of their classes"),
    "a set inside a folder": ("pets/a/1.png pets/b/1.png", "one class only, pets.*name .*/pets as data if a and b"),
    "parts inside a folder": ("pets/train/a/1.png pets/test/a/1.png", "one class only, pets.*/pets as data if test"),
    "parts in classes": ("a/train/1.png a/test/1.png b/train/1.png", "a/test: a part inside a class.*as test/a"),
    "parts by other names": ("seg_train/a/1.png seg_test/a/1.png", "seg_test and seg_train are parts.*to test and"),
    "Training set, Test set": ("Training-set/a/1.png Test-set/a/1.png", "are parts rather than classes"),
    "a class of another kind": ("a/1.png b/1.gif b/2.gif", "b: a class without images, but 2 .gif; fill or remove"),
    "a class in capitals": ("train/cat/1.png train/dog/1.png test/Cat/1.png test/dog/1.png", "'cat'.*mean 'Cat'"),
    "an empty class": ("a/1.png b/1.png c/.keep", "c: a class without images, but 1 hidden"),
}


@pytest.mark.parametrize("layout", REFUSED)
def test_a_layout_that_would_be_misread_is_refused(layout: str, tmp_path: Path) -> None:
    names, message = REFUSED[layout]
    put(tmp_path, dict.fromkeys(names.split(), PLAIN))
    with pytest.raises(DataError, match=message):
        list(map(partial(FOLDER.files, tmp_path), FOLDER.parts(tmp_path)))


def test_links_to_classes_are_followed_and_links_in_them_are_not(tmp_path: Path) -> None:
    put(tmp_path, {"set/a/1.png": PLAIN, "far/1.png": PLAIN, "far/2.png": PLAIN})
    (tmp_path / "set/b").symlink_to(tmp_path / "far")
    (tmp_path / "set/a/again").symlink_to(tmp_path / "set")
    (tmp_path / "set/a/2.png").symlink_to(tmp_path / "gone.png")
    assert len(FOLDER.files(tmp_path / "set", "train")) == 3
    assert FOLDER.skipped(tmp_path / "set") == {"linked folders": 1, "not files": 1}


def test_images_that_differ_in_size_ask_for_one(tmp_path: Path) -> None:
    sides = [(50, 70), (50, 70), (48, 90), (300, 200)]
    put(tmp_path, {f"{c}/{i}.png": encoded(pixels(*side, 3)) for c in "ab" for i, side in enumerate(sides)})
    with pytest.raises(DataError) as caught:
        load_data(Source("folder", str(tmp_path)))
    assert str(caught.value) == (
        f"{tmp_path}: images differ in size: 4 of 8 are not of the most frequent, 70 x 50 to 200 x 300 "
        "pixels; set image_size, e.g. 48"
    )


@pytest.mark.parametrize(("side", "suggested"), [(5, 5), (16, 16), (31, 16), (47, 32), (64, 64), (300, 64)])
def test_the_suggested_size_is_one_to_search_with(side: int, suggested: int, tmp_path: Path) -> None:
    put(tmp_path, {f"{c}/{i}.png": encoded(pixels(side, side + i, 1)[:, :, 0]) for c in "ab" for i in range(2)})
    with pytest.raises(DataError, match=f"e.g. {suggested}$"):
        load_data(Source("folder", str(tmp_path)))
