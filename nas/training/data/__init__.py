"""Image sets as arrays: a source in, splits out. The test split has a door of its own.

source.py     which set, where, how much of it          split.py      images with labels, and how they are divided
loading.py    load, load_test, task, digest             prepared.py   arrays and facts cached beside the files
known.py      the public sets and their digests         fetch.py      downloads of them
published.py, folder.py, archive.py, parquet.py, digits.py            a reader a kind
"""

from nas.training.data.loading import READERS, class_names, digest, load_data, load_test, task
from nas.training.data.source import Source
from nas.training.data.split import Data, Split

__all__ = ["READERS", "Data", "Source", "Split", "class_names", "digest", "load_data", "load_test", "task"]
