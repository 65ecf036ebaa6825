-- Version 1. `schema.` stands for the store's schema.

CREATE TABLE schema.store (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ifmatch_version integer NOT NULL,
    id text NOT NULL,
    -- Deletions at and below this position may be forgotten.
    floor bigint NOT NULL DEFAULT 0,
    trim_after timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 hour',
    -- Until then somebody listens for changes.
    listened_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

CREATE TABLE schema.documents (
    partition text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    etag text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    -- Within the years 0 to 9999, where texts of times sort as they do: the
    -- client sees to that. The server parses a CHECK anew in every statement.
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C",
    -- As it was put, byte for byte.
    body text COLLATE "C" NOT NULL,
    -- The same for queries: every number is the value that the evaluator reads.
    doc jsonb NOT NULL,
    PRIMARY KEY (partition, id)
);
CREATE INDEX documents_feed ON schema.documents (position, ordinal);
CREATE INDEX documents_partition_feed ON schema.documents (partition, position, ordinal);

CREATE TABLE schema.tombstones (
    partition text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    etag text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    deleted_at bigint NOT NULL,
    deleted_by text COLLATE "C",
    recorded timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, id)
);
CREATE INDEX tombstones_feed ON schema.tombstones (position, ordinal);
CREATE INDEX tombstones_partition_feed ON schema.tombstones (partition, position, ordinal);

CREATE TABLE schema.audit (
    partition text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    etag text COLLATE "C",
    previous text COLLATE "C",
    at bigint NOT NULL,
    by text COLLATE "C",
    recorded timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, position, ordinal)
);
CREATE INDEX audit_order ON schema.audit (position);

-- How far the record of a partition was cut off.
CREATE TABLE schema.audit_floors (
    partition text COLLATE "C" PRIMARY KEY,
    floor bigint NOT NULL
);

-- Local transactions: open (0), committed (1), aborted (2).
CREATE TABLE schema.transactions (
    id text COLLATE "C" NOT NULL,
    incarnation bigint NOT NULL,
    partition text COLLATE "C" NOT NULL,
    lifetime bigint NOT NULL,
    ends_at timestamptz NOT NULL,
    state smallint NOT NULL DEFAULT 0,
    position bigint,
    nonce text COLLATE "C",
    ended_at timestamptz,
    PRIMARY KEY (id, incarnation)
);
CREATE UNIQUE INDEX transactions_open ON schema.transactions (partition) WHERE state = 0;
CREATE UNIQUE INDEX transactions_open_id ON schema.transactions (id) WHERE state = 0;
CREATE INDEX transactions_ended ON schema.transactions (partition, incarnation) WHERE state <> 0;

-- What an open transaction keeps for another process.
CREATE TABLE schema.staged (
    id text COLLATE "C" NOT NULL,
    incarnation bigint NOT NULL,
    number bigint NOT NULL,
    piece bytea NOT NULL,
    PRIMARY KEY (id, incarnation, number)
);

CREATE TABLE schema.indexes (
    name text COLLATE "C" PRIMARY KEY,
    field text NOT NULL,
    -- Not while it is built.
    ready boolean NOT NULL
);
