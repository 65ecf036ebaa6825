"""Makes the databases of this folder: `python make.py VERSION OUT`.

VERSION is the autocrud that is installed; see README.md.
"""

import datetime as dt
import sys
from importlib.metadata import version
from pathlib import Path

from autocrud.resource_manager.basic import Encoding
from autocrud.resource_manager.meta_store.sqlite3 import FileSqliteMetaStore
from autocrud.types import ResourceMeta
from msgspec import UNSET
from msgspec.structs import fields

TAIPEI = dt.timezone(dt.timedelta(hours=8))
START = dt.datetime(2026, 1, 31, 23, 59, 58, 123456, tzinfo=dt.timezone.utc)
SECTIONS = ["admin", "games", "libs"]
WITH_REVISION = any(field.name == "rev_status" for field in fields(ResourceMeta))


def indexed(n):
    """Flat keys, with dots in them; n = 7 has none, as before autocrud had them."""
    if n == 7:
        return UNSET
    return {
        "section": SECTIONS[n % 3],
        "package.name": f"pkg-{n}",
        "size": 9007199254740993 + n if n % 5 == 0 else n * 1000,
        "ratio": n / 8,
        "big": 18446744073709551615 - n if n % 7 == 1 else -n,
        "tags": ["role::program", f"n::{n}"][: n % 3],
        "title": ["caf\u00e9", "e\u0301t\u00e9", "\U0001f4e6 box", 'quote " \\ /', ""][n % 5],
        "essential": n % 4 == 0,
        "source": None,
    }


def meta(n):
    created = START + dt.timedelta(hours=n)
    # Whole seconds, other zones and no zone at all, as applications write them.
    updated = [created, created.astimezone(TAIPEI), created.replace(microsecond=0)][n % 3]
    if n == 11:
        updated = updated.replace(tzinfo=None)
    revision = {
        "rev_status": "stable" if n % 2 else "draft",
        "rev_created_by": "ann",
        "rev_updated_by": "bob",
        "rev_created_time": created,
        "rev_updated_time": created,
    }
    return ResourceMeta(
        current_revision_id=f"package:{n:04}:{n % 4 + 1}",
        resource_id=f"package:{n:04}",
        schema_version=[None, "1", "v2"][n % 3],
        total_revision_count=n % 4 + 1,
        created_time=created,
        updated_time=updated,
        created_by=["ann", "bob", "\u6797"][n % 3],
        updated_by="bob",
        is_deleted=n % 6 == 5,
        indexed_data=indexed(n),
        **(revision if WITH_REVISION and n != 13 else {}),
    )


def main(expected, folder):
    assert version("autocrud") == expected, version("autocrud")
    for encoding in Encoding:
        path = Path(folder) / f"{expected}-{encoding.value}.db"
        path.unlink(missing_ok=True)
        store = FileSqliteMetaStore(db_filepath=path, encoding=encoding)
        store.save_many([meta(n) for n in range(20)])
        store["package:0003"] = meta(3)  # An update: the row moves to the end.
        del store["package:0019"]
        assert len(store) == 19


if __name__ == "__main__":
    main(*sys.argv[1:])
