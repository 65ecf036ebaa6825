//! What is in the file, as SQL.
//!
//! Small changes must be small page deltas: `documents` is a table by rowid, its
//! narrow columns before the body, the body plain JSON text. Beside its unique
//! key it has one index, the order of the feed. A write of one document changes
//! its own page, a page of that index at the right end, and the page of the
//! index that held its old place: about one page and 40 bytes more in a delta
//! than without.

/// A new file.
pub(super) const DOCUMENTS: &str = "
CREATE TABLE documents (
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,          -- without quotes
    position INTEGER NOT NULL,   -- the commit that wrote this state
    ordinal INTEGER NOT NULL,    -- its number in that commit, from 0
    created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    body TEXT NOT NULL,          -- JSON, byte for byte as put
    UNIQUE (partition, id)
) STRICT;
-- One row: what is counted in this store.
CREATE TABLE _ifmatch_store (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    store_id BLOB NOT NULL,      -- 128 random bits
    commits INTEGER NOT NULL,    -- position of the newest commit
    etags INTEGER NOT NULL,      -- ETags ever minted
    -- Deletions, and records of changes, up to this position are forgotten.
    forgotten INTEGER NOT NULL DEFAULT 0,
    audit_forgotten INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// What form 2 has beside these, in a new file and in one of form 1.
pub(super) const BESIDE: &str = "
CREATE INDEX _ifmatch_feed ON documents (position, ordinal, partition);
-- What is left of deleted documents.
CREATE TABLE _ifmatch_tombstones (
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,          -- of the state that was deleted
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    deleted_by TEXT,
    PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX _ifmatch_tombstone_feed ON _ifmatch_tombstones (position, ordinal, partition);
-- Every change, where the store is opened so; rows in order of position.
CREATE TABLE _ifmatch_audit (
    partition TEXT NOT NULL,
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    id TEXT NOT NULL,
    etag TEXT,                   -- null: deleted
    previous TEXT,               -- null: created
    author TEXT,
    at INTEGER NOT NULL,
    UNIQUE (partition, position, ordinal)
) STRICT;
-- Open local transactions.
CREATE TABLE _ifmatch_locks (
    partition TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL UNIQUE,
    incarnation INTEGER NOT NULL,
    began_at INTEGER NOT NULL,   -- microseconds since 1970, UTC
    lifetime INTEGER NOT NULL    -- microseconds
) STRICT, WITHOUT ROWID;
-- What they staged for other processes.
CREATE TABLE _ifmatch_staged (
    id TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    piece BLOB NOT NULL,
    UNIQUE (id, incarnation, number)
) STRICT;
-- What became of those that ended.
CREATE TABLE _ifmatch_outcomes (
    id TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    partition TEXT NOT NULL,
    position INTEGER,            -- null: nothing was applied
    nonce TEXT,
    ended_at INTEGER NOT NULL,
    PRIMARY KEY (id, incarnation)
) STRICT, WITHOUT ROWID;
CREATE INDEX _ifmatch_outcome_order ON _ifmatch_outcomes (partition, incarnation);
-- Declared indexes: each is an index of the name `_ifmatch_index_` and its own.
CREATE TABLE _ifmatch_indexes (
    name TEXT PRIMARY KEY NOT NULL,
    field TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Form 1 had no ordinals, no memory of deletions, and nothing beside. The
/// documents stay where they are: the new column is the last one there.
pub(super) const FROM_1: &str = "
ALTER TABLE documents ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE _ifmatch_store ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
ALTER TABLE _ifmatch_store ADD COLUMN audit_forgotten INTEGER NOT NULL DEFAULT 0;
UPDATE documents SET ordinal = numbered.ordinal FROM (
    SELECT rowid AS row, row_number() OVER (PARTITION BY position ORDER BY rowid) - 1 AS ordinal
    FROM documents
) AS numbered
WHERE documents.rowid = numbered.row AND numbered.ordinal > 0;
";
