"""The plotting library: inside a page, or one copy beside the pages that share it."""

import os
from pathlib import Path
from urllib.parse import quote

from nas.files import atomic_write


def plotting_library() -> str:
    """Return the text of plotly.js as a browser reads it."""
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF, and the digest is of what it reads.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def share_library(folder: Path, page: Path) -> str:
    """Write the library into a folder, unless it is there, and return its URL relative to a page. Raises OSError.

    Its version is in its name: a page is drawn by the library that it was made for, also when a later one lies beside.
    """
    from plotly.offline import get_plotlyjs_version

    file, content = folder / f"plotly-{get_plotlyjs_version()}.min.js", plotting_library().encode()
    if not file.is_file() or file.read_bytes() != content:
        atomic_write(file, content)
    return quote(Path(os.path.relpath(file, page.parent)).as_posix())
