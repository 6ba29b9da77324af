"""Damage for benchmarks/fuzz.py: to a study's database, to its bytes, to the JSON beside it, and to a genome.

A change is drawn once and can be applied again to a fresh copy; printed, it is the reproduction.
"""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

ESCAPES = "\x1b[31m\x1b]0;title\x07"
TEXTS = (
    "", " ", "x", "0", "best", "NaN", "null", "[]", "{}", '"', "'; DROP TABLE trials; --", "</script><img src=x>",
    "../../../etc/passwd", ESCAPES, "two\nlines", "a\r\nb\rc", "nul\x00inside", "\u202egnp.exe", "\u2066\u200b\ufeff",
    "\x9b2J\x85", "\u2028\u2029", "\xa0\u3000", "caf\u00e9 \U0001f40d", "e\u0301" * 50, "%s %n {0} {x}", "x" * 100_000,
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 7, 65_536, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 10**30, 0.5, -0.0, 1e-320, 1e308, 1.5)
ODD: tuple[Any, ...] = (None, True, False, float("inf"), float("-inf"), float("nan"), [], {}, [[]], [None], {"": None})
BLOBS = (b"", b"\x00", b"\xff\xfe\x1b[2J", b"SQLite format 3\x00", bytes(range(256)))
DEEP = 50_000  # levels of a nested text
FAVORED = ("trial_user_attributes", "study_user_attributes", "trial_params")  # tables damaged more often
BESIDE = ("experiment.toml", "finalists/finalists.json", "test_readings.json")


class Change(Protocol):
    """One thing that is wrong with a run directory."""

    def apply(self, run: Path) -> None:
        """Damage the run."""
        ...


@dataclass(frozen=True)
class Statement:
    """SQL on the study. loosen: the table that loses its constraints where they forbid that, its primary key too."""

    sql: str
    values: tuple[Any, ...] = ()
    loosen: str = ""

    def apply(self, run: Path) -> None:
        with closing(sqlite3.connect(run / "study.db")) as database, suppress(sqlite3.Error):
            try:
                database.execute(self.sql, self.values)
            except sqlite3.Error:
                if not self.loosen:
                    raise
                _loosen(database, self.loosen)
                database.execute(self.sql, self.values)
            database.commit()

    def __str__(self) -> str:
        loosened = f"  (constraints of {self.loosen} dropped if they forbid that)" if self.loosen else ""
        return f"{ascii(self.sql)[1:-1]}  {shown(self.values)}{loosened}"


@dataclass(frozen=True)
class Written:
    """Bytes written into a file at a place, or all that follows replaced by them."""

    file: str
    place: int
    content: bytes
    cut: bool = False

    def apply(self, run: Path) -> None:
        file = run / self.file
        before = file.read_bytes()
        after = b"" if self.cut else before[self.place + len(self.content) :]
        file.write_bytes(before[: self.place] + self.content + after)

    def __str__(self) -> str:
        end = ", the end" if self.cut else ""
        return f"{self.file} at {self.place}: {shown(self.content)}{end}"


def shown(value: object) -> str:
    """Return a value for a reproduction, in ASCII and not too long."""
    text = ascii(value)
    return text if len(text) <= 3_000 else f"{text[:1_500]} ... {text[-200:]} ({len(text):,} characters)"


def _loosen(database: sqlite3.Connection, table: str) -> None:
    """Drop a table's constraints."""
    database.execute("PRAGMA legacy_alter_table = ON")
    database.execute(f'CREATE TABLE loose AS SELECT * FROM "{table}"')
    database.execute(f'DROP TABLE "{table}"')
    database.execute(f'ALTER TABLE loose RENAME TO "{table}"')


def damage(rng: random.Random, run: Path) -> tuple[Change, ...]:
    """Return one to three changes to a run, drawn from what it holds."""
    kinds: tuple[Callable[[random.Random, Path], Change], ...] = (_cell, _cell, _cell, _json, _json, _json, _marked,
                                                                  _marked, _rows, _schema, _bytes, _beside)  # fmt: skip
    count = rng.choice((1, 1, 1, 2, 3))
    return tuple(rng.choice(kinds)(rng, run) for _ in range(count))


def _place(rng: random.Random, run: Path) -> tuple[str, str, int, Any]:
    """Return a table, a column, a row and what is there."""
    with closing(sqlite3.connect(run / "study.db")) as database:
        named = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        filled = [name for name in named if database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]]
        table = rng.choice(filled + 3 * [name for name in filled if name in FAVORED])
        columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
        column = rng.choice(columns)
        rows = database.execute(f'SELECT rowid, "{column}" FROM "{table}" ORDER BY rowid').fetchall()
        return table, column, *rng.choice(rows)


def _cell(rng: random.Random, run: Path) -> Change:
    table, column, row, _ = _place(rng, run)
    value: Any = rng.choice((None, *TEXTS, *NUMBERS, *BLOBS, float("inf"), "[" * DEEP, '{"a":' * DEEP, "9" * 5_000))
    value = float(value) if isinstance(value, int) and abs(value) >= 2**63 else value
    return Statement(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = {row}', (value,), table)


def _json(rng: random.Random, run: Path) -> Change:
    """Change what a column of JSON says."""
    with closing(sqlite3.connect(run / "study.db")) as database:
        table = rng.choice(("trial_user_attributes", "trial_user_attributes", "study_user_attributes", "trial_params"))
        column = "distribution_json" if table == "trial_params" else "value_json"
        rows = database.execute(f'SELECT rowid, "{column}" FROM "{table}" ORDER BY rowid').fetchall()
        row, text = rng.choice(rows)
    found = json.loads(text)
    if isinstance(found, str) and found.startswith('{"format"'):
        value = json.dumps(genome(rng, found))
    else:
        value = written(rng, changed(rng, found))
    return Statement(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = {row}', (value,), table)


def _marked(rng: random.Random, run: Path) -> Change:
    """Add what is not printable to a text that a run may hold: few of these are refused."""
    mark = rng.choice((ESCAPES, "\x00", "\r\x1b[1A", "\u202e", "\x9b2J", "\ufeff\u2028"))
    if rng.random() < 0.2:
        return Statement("UPDATE trial_params SET param_name = param_name || ?", (mark,))
    with closing(sqlite3.connect(run / "study.db")) as database:
        table = rng.choice(("trial_user_attributes", "study_user_attributes", "study_user_attributes"))
        row, key, text = rng.choice(database.execute(f'SELECT rowid, key, value_json FROM "{table}"').fetchall())
    value = json.dumps(_mark(rng, json.loads(text), mark), ensure_ascii=rng.random() < 0.5)
    where = f"key = {key!r}" if rng.random() < 0.5 and table == "trial_user_attributes" else f"rowid = {row}"
    return Statement(f'UPDATE "{table}" SET value_json = ? WHERE {where}', (value,), table)


def _mark(rng: random.Random, value: Any, mark: str) -> Any:
    """Return JSON with a mark at the end of one of its texts or keys, if it has any."""
    if isinstance(value, dict) and value:
        key = rng.choice([key for key in value if isinstance(value[key], str | dict | list)] or list(value))
        new = key if rng.random() < 0.8 else key + mark
        return {new if name == key else name: _mark(rng, each, mark) if name == key else each
                for name, each in value.items()}  # fmt: skip
    if isinstance(value, list) and value:
        i = rng.randrange(len(value))
        return [*value[:i], _mark(rng, value[i], mark), *value[i + 1 :]]
    return value + mark if isinstance(value, str) else value


def _rows(rng: random.Random, run: Path) -> Change:
    table, column, row, _ = _place(rng, run)
    few = f'SELECT * FROM "{table}" WHERE rowid = {row}'
    sql = rng.choice((
        f'DELETE FROM "{table}" WHERE rowid = {row}', f'DELETE FROM "{table}"', f'INSERT INTO "{table}" {few}',
        f'DELETE FROM "{table}" WHERE rowid > {row}', f'INSERT INTO "{table}" SELECT * FROM "{table}"',
        f'UPDATE "{table}" SET "{column}" = (SELECT "{column}" FROM "{table}" WHERE rowid = {row})',
        f'UPDATE "{table}" SET "{column}" = "{column}" + 1000000',
    ))  # fmt: skip
    return Statement(sql, (), table)


def _schema(rng: random.Random, run: Path) -> Change:
    table, column, _, _ = _place(rng, run)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    sql, loosen = rng.choice((
        (f'DROP TABLE "{table}"', ""), (f'ALTER TABLE "{table}" DROP COLUMN "{column}"', table),
        (f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "{rng.choice(TEXTS[1:-1]).replace(chr(34), "")}"', ""),
        (f'ALTER TABLE "{table}" ADD COLUMN extra', ""), (f"CREATE VIEW endless AS {endless}", ""),
        (f'CREATE TRIGGER more AFTER UPDATE ON "{table}" BEGIN DELETE FROM trials; END', ""),
        ("PRAGMA user_version = 99", ""), ("PRAGMA journal_mode = DELETE", ""),
        ("CREATE TABLE \"\x1b[31m\" (x)", ""), (f'ALTER TABLE "{table}" RENAME TO "\x1b[31m"', ""),
    ))  # fmt: skip
    return Statement(sql, (), loosen)


def _bytes(rng: random.Random, run: Path) -> Change:
    size = (run / "study.db").stat().st_size
    place = rng.choice((rng.randrange(size), rng.randrange(4_096), rng.randrange(100)))
    content = rng.randbytes(rng.choice((1, 1, 2, 16, 512)))
    return Written("study.db", place, content, cut=rng.random() < 0.2)


def _beside(rng: random.Random, run: Path) -> Change:
    """Change a file beside the study."""
    file = rng.choice([name for name in BESIDE if (run / name).is_file()])
    text = (run / file).read_text(encoding="utf-8")
    if file.endswith(".json") and rng.random() < 0.8:
        return Written(file, 0, written(rng, changed(rng, json.loads(text))).encode("utf-8", "surrogatepass"), cut=True)
    return Written(file, 0, edited(rng, text).encode("utf-8", "surrogatepass"), cut=True)


def genome(rng: random.Random, text: str) -> str:
    """Return a genome that is wrong in one to three places, as JSON or no longer that."""
    if rng.random() < 0.2:
        return edited(rng, text)
    found = json.loads(text)
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = _widened(rng, found) if rng.random() < 0.3 else changed(rng, found)
    return written(rng, found)


def _widened(rng: random.Random, found: Any) -> Any:
    """Return a genome, one number of a node of another size: more often a network than other changes leave."""
    with suppress(AttributeError, IndexError, KeyError, TypeError):
        node = rng.choice(found["nodes"])
        key = rng.choice([key for key in node if key not in ("name", "op", "inputs")])
        node[key] = rng.choice((1, 2, 3, 7, 64, 255, 256, 1_024, 65_535, 65_536, [3, 1], [1, 3], 0.5, None, True))
    return found


def changed(rng: random.Random, value: Any) -> Any:
    """Return JSON, something in it of another value, type, key, length or depth."""
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        return _inside(rng, value)
    if isinstance(value, str) and value and rng.random() < 0.4:
        return edited(rng, value)
    if isinstance(value, int | float) and rng.random() < 0.4:
        return rng.choice((value + 1, -value, value * 10**6, float(value), str(value), [value]))
    return rng.choice((*TEXTS, *NUMBERS, *ODD, [value] * 3, {"a": value}, [value] * 2_000))


def _inside(rng: random.Random, value: dict[str, Any] | list[Any]) -> Any:
    if isinstance(value, list):
        i, kind = rng.randrange(len(value)), rng.random()
        if kind < 0.1:
            return value[:i] + value[i + 1 :]
        if kind < 0.2:
            return value[:i] + [value[i]] * rng.choice((2, 300)) + value[i:]
        return [*value[:i], changed(rng, value[i]), *value[i + 1 :]]
    key, kind = rng.choice(list(value)), rng.random()
    if kind < 0.1:
        return {name: each for name, each in value.items() if name != key}
    if kind < 0.2:
        return value | {rng.choice(TEXTS): value[key]}
    return value | {key: changed(rng, value[key])}


def written(rng: random.Random, value: Any) -> str:
    """Return JSON as text, escaped or not; now and then something in it is repeated or deep."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.05:
        return text.replace('"', f'"{rng.choice(TEXTS[:-1])}', 1)
    if rng.random() < 0.05:
        return text.replace(":", ":" + rng.choice(("[" * DEEP, '{"a":' * DEEP, "9" * 5_000 + ",", "1e999,")), 1)
    return text


def edited(rng: random.Random, text: str) -> str:
    """Return text with a piece of it removed, repeated, or replaced by something odd."""
    begin = rng.randrange(len(text) + 1)
    end = min(len(text), begin + rng.choice((0, 1, 1, 5, 100)))
    piece = rng.choice((text[begin:end] * 2, "", chr(rng.randrange(32)), chr(rng.randrange(0x110000)), *TEXTS))
    return text[:begin] + piece + text[end:]
