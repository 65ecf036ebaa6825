-- Writes. Every statement of these functions sees what was committed before it
-- began (READ COMMITTED, which `enter` insists on), so what is read after a lock
-- was taken stays true until the transaction ends.

-- The advisory lock of a partition; that of a document is derived from it. Two
-- names with one lock only wait for each other needlessly.
CREATE FUNCTION schema.lock_of(p_partition text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(p_partition, hashtextextended('schema.', 0))
$$;

-- Takes the locks of a write, before it is given a position: the commits of one
-- document have positions in their order. Whoever needs all of a partition to
-- stand still takes it whole. Documents are locked in the order of their locks.
CREATE FUNCTION schema.enter(p_partition text, p_whole boolean, p_ids text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_key bigint := schema.lock_of(p_partition);
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'writes need the isolation level READ COMMITTED' USING ERRCODE = '0A000';
    END IF;
    IF p_whole THEN
        PERFORM pg_advisory_xact_lock(v_key);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(v_key);
    IF cardinality(p_ids) = 1 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(p_ids[1], v_key));
    ELSE
        PERFORM pg_advisory_xact_lock(k) FROM (
            SELECT DISTINCT hashtextextended(id, v_key) AS k FROM unnest(p_ids) id ORDER BY 1
        ) keys;
    END IF;
END $$;

-- The transaction that holds a partition. One whose life is over is ended first:
-- its commit would need the whole partition, so it cannot be under way.
CREATE FUNCTION schema.held(p_partition text, OUT holder text, OUT remaining bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_tx schema.transactions;
BEGIN
    SELECT * INTO v_tx FROM schema.transactions t
        WHERE t.partition = p_partition AND t.state = 0;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF clock_timestamp() < v_tx.ends_at THEN
        holder := v_tx.id;
        remaining := ceil(extract(epoch FROM v_tx.ends_at - clock_timestamp()) * 1000000)::bigint;
        RETURN;
    END IF;
    PERFORM schema.end_tx(v_tx.id, v_tx.incarnation, 2::smallint, NULL, NULL);
END $$;

CREATE FUNCTION schema.end_tx(
    p_id text, p_incarnation bigint, p_state smallint, p_position bigint, p_nonce text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE schema.transactions t
        SET state = p_state, position = p_position, nonce = p_nonce, ended_at = clock_timestamp()
        WHERE t.id = p_id AND t.incarnation = p_incarnation AND t.state = 0;
    DELETE FROM schema.staged s WHERE s.id = p_id AND s.incarnation = p_incarnation;
END $$;

-- Whether a partition has changed since a snapshot of it was taken.
CREATE FUNCTION schema.changed_since(p_partition text, p_mark pg_snapshot) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM schema.documents d WHERE d.partition = p_partition
            AND d.position >= pg_snapshot_xmin(p_mark)::text::bigint
            AND NOT pg_visible_in_snapshot(d.position::text::xid8, p_mark)
    ) OR EXISTS (
        SELECT FROM schema.tombstones t WHERE t.partition = p_partition
            AND t.position >= pg_snapshot_xmin(p_mark)::text::bigint
            AND NOT pg_visible_in_snapshot(t.position::text::xid8, p_mark)
    ) OR EXISTS (
        -- A deletion that is forgotten.
        SELECT FROM schema.store s WHERE s.floor >= pg_snapshot_xmin(p_mark)::text::bigint
    )
$$;

-- The position of the newest commit.
CREATE FUNCTION schema.newest() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(position) FROM schema.documents),
        (SELECT max(position) FROM schema.tombstones),
        (SELECT floor FROM schema.store),
        0
    )
$$;

-- Wakes those who listen, once this is committed.
CREATE FUNCTION schema.tell(p_partition text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('ifmatch_' || s.id, schema.lock_of(p_partition)::text) FROM schema.store s
$$;

-- Checks what a write expects and applies it, in one commit. Per entry: the
-- document, what is expected (0 nothing, 1 absent, 2 there, 3 there with the tag
-- `seen`), the action (0 none, 1 put, 2 delete) and the new state. Entries that
-- act come first, in their order. The locks are held.
CREATE FUNCTION schema.apply(
    p_partition text, p_ids text[], p_expect smallint[], p_seen text[], p_action smallint[],
    p_etags text[], p_created bigint[], p_at bigint[], p_by text[], p_bodies text[],
    p_docs text[], p_marks text[], p_audit boolean,
    OUT answer text, OUT seq bigint, OUT was_etag text, OUT was_created bigint,
    OUT was_updated bigint, OUT was_by text, OUT was_body text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_before text[];
    v_changed boolean;
    v_base integer := 0;
    v_store schema.store;
BEGIN
    FOR i IN 1 .. coalesce(cardinality(p_marks), 0) LOOP
        SELECT schema.changed_since(p_partition, p_marks[i]::pg_snapshot) INTO v_changed;
        IF v_changed THEN
            answer := 'changed';
            RETURN;
        END IF;
    END LOOP;
    IF cardinality(p_ids) = 1 THEN
        SELECT ARRAY[d.etag], d.created_at INTO v_before, was_created
            FROM schema.documents d WHERE d.partition = p_partition AND d.id = p_ids[1];
    ELSE
        SELECT array_agg(d.etag ORDER BY u.i) INTO v_before
            FROM unnest(p_ids) WITH ORDINALITY u(id, i)
            LEFT JOIN schema.documents d ON d.partition = p_partition AND d.id = u.id;
    END IF;
    was_etag := v_before[1];
    FOR i IN 1 .. cardinality(p_ids) LOOP
        IF (CASE p_expect[i]
            WHEN 0 THEN true
            WHEN 1 THEN v_before[i] IS NULL
            WHEN 2 THEN v_before[i] IS NOT NULL
            ELSE v_before[i] = p_seen[i]
        END) IS NOT TRUE THEN
            answer := 'conflict';
            SELECT d.etag, d.created_at, d.updated_at, d.updated_by, d.body
                INTO was_etag, was_created, was_updated, was_by, was_body
                FROM schema.documents d WHERE d.partition = p_partition AND d.id = p_ids[i];
            RETURN;
        END IF;
    END LOOP;
    answer := 'done';
    IF p_action[1] = 2 AND v_before[1] IS NULL THEN
        seq := schema.newest(); -- The deletion, alone, of what was not there.
        RETURN;
    END IF;
    -- Whoever calls several times in one transaction goes on counting.
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        seq := pg_current_xact_id()::text::bigint;
        SELECT 1 + greatest(
            (SELECT max(ordinal) FROM schema.documents d WHERE d.position = seq),
            (SELECT max(ordinal) FROM schema.tombstones t WHERE t.position = seq),
            -1
        ) INTO v_base;
    END IF;
    seq := pg_current_xact_id()::text::bigint;

    IF 1 = ANY (p_action) THEN
        INSERT INTO schema.documents AS d (
            partition, id, etag, position, ordinal, created_at, updated_at, updated_by, body, doc
        )
        SELECT p_partition, u.id, u.etag, seq, v_base + u.i - 1,
            coalesce(u.created, was_created, u.at), u.at, u.by, u.body,
            coalesce(u.doc, u.body)::jsonb
            FROM unnest(p_ids, p_action, p_etags, p_created, p_at, p_by, p_bodies, p_docs)
            WITH ORDINALITY u(id, action, etag, created, at, by, body, doc, i)
            WHERE u.action = 1
        ON CONFLICT (partition, id) DO UPDATE SET
            etag = excluded.etag, position = excluded.position, ordinal = excluded.ordinal,
            created_at = excluded.created_at, updated_at = excluded.updated_at,
            updated_by = excluded.updated_by, body = excluded.body, doc = excluded.doc;
        DELETE FROM schema.tombstones t
            USING unnest(p_ids, p_action, v_before) u(id, action, before)
            WHERE u.action = 1 AND u.before IS NULL AND t.partition = p_partition AND t.id = u.id;
    END IF;
    SELECT * INTO v_store FROM schema.store;
    IF 2 = ANY (p_action) THEN
        WITH gone AS (
            DELETE FROM schema.documents d
                USING unnest(p_ids, p_action, p_at, p_by) WITH ORDINALITY u(id, action, at, by, i)
                WHERE u.action = 2 AND d.partition = p_partition AND d.id = u.id
                RETURNING d.id, d.etag, u.at, u.by, u.i
        )
        INSERT INTO schema.tombstones (partition, id, etag, position, ordinal, deleted_at, deleted_by)
        SELECT p_partition, id, etag, seq, v_base + i - 1, at, by FROM gone;
        IF clock_timestamp() > v_store.trim_after THEN
            PERFORM schema.trim();
        END IF;
    END IF;
    IF p_audit THEN
        INSERT INTO schema.audit (partition, position, ordinal, id, etag, previous, at, by)
        SELECT p_partition, seq, v_base + u.i - 1, u.id, u.etag, v_before[u.i], u.at, u.by
            FROM unnest(p_ids, p_action, p_etags, p_at, p_by)
            WITH ORDINALITY u(id, action, etag, at, by, i)
            WHERE u.action <> 0;
        IF clock_timestamp() > v_store.trim_after THEN
            PERFORM schema.trim();
        END IF;
    END IF;
    IF clock_timestamp() < v_store.listened_until THEN
        PERFORM schema.tell(p_partition);
    END IF;
END $$;

-- One write, or the commit of a batch: a partition that is held refuses it
-- before anything else is looked at.
CREATE FUNCTION schema.write(
    p_partition text, p_whole boolean, p_ids text[], p_expect smallint[], p_seen text[],
    p_action smallint[], p_etags text[], p_created bigint[], p_at bigint[], p_by text[],
    p_bodies text[], p_docs text[], p_marks text[], p_audit boolean,
    OUT answer text, OUT seq bigint, OUT was_etag text, OUT was_created bigint,
    OUT was_updated bigint, OUT was_by text, OUT was_body text,
    OUT holder text, OUT remaining bigint
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM schema.enter(p_partition, p_whole, p_ids);
    SELECT h.holder, h.remaining INTO holder, remaining FROM schema.held(p_partition) h;
    IF holder IS NOT NULL THEN
        answer := 'locked';
        RETURN;
    END IF;
    SELECT a.answer, a.seq, a.was_etag, a.was_created, a.was_updated, a.was_by, a.was_body
        INTO answer, seq, was_etag, was_created, was_updated, was_by, was_body
        FROM schema.apply(p_partition, p_ids, p_expect, p_seen, p_action, p_etags, p_created,
            p_at, p_by, p_bodies, p_docs, p_marks, p_audit) a;
END $$;

-- One put: what it expects (as in `apply`) and the new state. Answers a text for
-- each column of `write`, or as many as matter: rows of a function go through a
-- store of their own.
--
-- What replaces a version, alone in its transaction and without a record, is one
-- statement under the locks. Whatever that does not find to be so is the business
-- of `write`, which looks again under the same locks: nobody else changes the
-- document in between, or opens or ends a transaction of the partition.
CREATE FUNCTION schema.put(
    p_partition text, p_id text, p_expect smallint, p_seen text, p_etag text, p_at bigint,
    p_by text, p_body text, p_doc text, p_audit boolean
) RETURNS text[] LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_seq bigint;
    v_created bigint;
    v_heard boolean;
    v_answer text[];
BEGIN
    -- The locks of `enter`, the partition's before the document's, taken while an
    -- expression is evaluated: no statement is begun for it, and the one below
    -- begins with them held.
    IF (CASE
        WHEN p_expect <> 3 OR p_audit OR pg_current_xact_id_if_assigned() IS NOT NULL
            OR current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted')
            THEN false
        WHEN pg_advisory_xact_lock_shared(schema.lock_of(p_partition)) IS NULL THEN false
        ELSE pg_advisory_xact_lock(hashtextextended(p_id, schema.lock_of(p_partition))) IS NOT NULL
    END) THEN
        UPDATE schema.documents AS d SET
            etag = p_etag, position = pg_current_xact_id()::text::bigint, ordinal = 0,
            updated_at = p_at, updated_by = p_by, body = p_body, doc = coalesce(p_doc, p_body)::jsonb
            WHERE d.partition = p_partition AND d.id = p_id AND d.etag = p_seen AND NOT EXISTS (
                SELECT FROM schema.transactions t WHERE t.partition = p_partition AND t.state = 0
            )
            RETURNING d.position, d.created_at,
                (SELECT clock_timestamp() < s.listened_until FROM schema.store s)
            INTO v_seq, v_created, v_heard;
        IF FOUND THEN
            IF v_heard THEN
                PERFORM schema.tell(p_partition);
            END IF;
            RETURN ARRAY['done', v_seq::text, p_seen, v_created::text];
        END IF;
    END IF;
    SELECT ARRAY[
            w.answer, w.seq::text, w.was_etag, w.was_created::text, w.was_updated::text, w.was_by,
            w.was_body, w.holder, w.remaining::text
        ] INTO v_answer
        FROM schema.write(p_partition, false, ARRAY[p_id], ARRAY[p_expect], ARRAY[p_seen],
            ARRAY[1::smallint], ARRAY[p_etag], ARRAY[NULL::bigint], ARRAY[p_at], ARRAY[p_by],
            ARRAY[p_body], ARRAY[p_doc], NULL, p_audit) w;
    RETURN v_answer;
END $$;
