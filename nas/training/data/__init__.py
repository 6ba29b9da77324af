"""Image sets as arrays: a source in, splits out. The test split has a function of its own.

source.py     which set, where, how much of it       split.py    images with labels, and how they are divided
loading.py    load_data, load_test, summarize        cache.py    arrays and statistics kept next to the files
overview.py   what was read, in a few lines          locate.py   what a name or a path stands for
own_data.py   what Python has, kept as a file        items.py    images and labels in the items of a dataset
reader.py     what a reader does                     registry.py the readers by name; one entry adds one
readers/      a reader for each layout of files      catalog/    the public sets: digests and downloads
part_names.py which part a name tells, and junk      listing.py  the image files below a folder
images.py     encoded images to arrays               untrusted.py limits and errors for files of any origin
"""

from nas.training.data.loading import DataSummary, class_names, load_data, load_test, summarize, task
from nas.training.data.overview import overview
from nas.training.data.own_data import own_data
from nas.training.data.registry import READERS
from nas.training.data.source import Source
from nas.training.data.split import Data, Split

__all__ = [
    "READERS", "Data", "DataSummary", "Source", "Split", "class_names", "load_data", "load_test", "overview",
    "own_data", "summarize", "task",
]  # fmt: skip
