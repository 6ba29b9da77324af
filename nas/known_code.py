"""The list of a person's own code that searches ran on this machine, in their configuration folder.

By it a later command continues with the code without being told the file again. An entry is a name, `file.py:Name`,
with the digests of the file and of those beside it that it imports: a file that changed is not on the list.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from platformdirs import user_config_path

from nas.errors import NasError
from nas.files import atomic_write, read_text
from nas.user_code import Sources, is_outside, short_name, sources

MAX_ENTRIES = 1_000
Digests = dict[str, str]  # by name of a file


def list_file() -> Path:
    """Return the file of the list: in NAS_CONFIG_DIR if that is set, else in the user's configuration folder."""
    folder = os.environ.get("NAS_CONFIG_DIR")
    return (Path(folder) if folder else user_config_path("nas-convnets")) / "known_code.json"


def digests(texts: Sources) -> Digests:
    """Return the digest of every text."""
    return {name: sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for name, text in texts.items()}


def remember(*names: str) -> None:
    """Put code that this person has run on the list; names that are no file's are passed over.

    A list that cannot be written is left as it is: the person is asked for the file again.
    """
    entries = _entries()
    new = {name: found for name in names if (found := digests(_texts_now(name)))}
    if any(entries.get(name) != found for name, found in new.items()):
        kept = {name: found for name, found in entries.items() if name not in new}
        with suppress(OSError):
            atomic_write(list_file(), json.dumps(dict([*kept.items(), *new.items()][-MAX_ENTRIES:]), indent=1))


def find_known(name: str) -> Iterator[tuple[str, Sources]]:
    """Yield the names on the list of code that may be what a name means, unchanged since, with its texts; newest first.

    name: as a run directory records it; of that only the file's own name and that of the attribute count, never the
    folder.
    """
    for known, found in reversed(_entries().items()) if is_outside(name) else ():
        texts = _texts_now(known) if short_name(known) == short_name(name) else {}
        if texts and digests(texts) == found:
            yield known, texts


def is_known(name: str) -> bool:
    """Return whether code is on the list and unchanged since."""
    found = _entries().get(name)
    return found is not None and found == digests(_texts_now(name))


def _texts_now(name: str) -> Sources:
    """Return the texts of a file and of those beside it that it imports; empty where they cannot be read."""
    place = name.rpartition(":")[0]
    if not is_outside(name) or not place.endswith(".py"):
        return {}
    try:
        return sources(Path(place))
    except (OSError, UnicodeDecodeError, NasError):
        return {}


def _entries() -> dict[str, Digests]:
    """Return the list; empty where there is none, or none of ours."""
    try:
        found = json.loads(read_text(list_file()))
    except (OSError, ValueError, RecursionError):
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {name: entry for name, entry in items if isinstance(entry, dict)}
