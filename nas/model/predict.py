"""predict.py of an export: picture files in, classes and probabilities out, without this toolkit."""

import json
from dataclasses import dataclass
from importlib.resources import files

MARK = '"""Classify picture files with the network of this folder.'
"""How every predict.py of an export begins."""


@dataclass(frozen=True)
class Preprocessing:
    """What becomes of a picture file before the network sees it.

    mean, std: per channel, of pixel values. pixel_max: the value of white. labels: the name of each class.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pixel_max: int
    labels: tuple[str, ...]

    def metadata(self) -> dict[str, str]:
        """Return it as metadata of an ONNX file; values are JSON."""
        values = {"class_names": self.labels, "mean": self.mean, "std": self.std, "pixel_max": self.pixel_max,
                  "image_size": self.shape[1:]}  # fmt: skip
        return {name: json.dumps(value) for name, value in values.items()}

    def labels_json(self) -> str:
        """Return the class names by index."""
        return json.dumps(dict(enumerate(self.labels)), indent=1, ensure_ascii=False) + "\n"

    def script(self) -> str:
        """Return predict.py. Only numbers are written into it, no names of classes."""
        text = files("nas.model").joinpath("predict_template.txt").read_text(encoding="utf-8")
        for name in ("shape", "mean", "std", "pixel_max"):
            text = text.replace(f"<{name}>", repr(getattr(self, name)))
        return text
