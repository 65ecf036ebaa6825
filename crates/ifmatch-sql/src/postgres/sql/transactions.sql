-- Local transactions. Begin, commit, abort and the end of an expired one take
-- the partition whole: no write is under way while one of them decides.

CREATE FUNCTION schema.begin_tx(
    p_partition text, p_id text, p_lifetime bigint,
    OUT answer text, OUT incarnation bigint, OUT lifetime bigint, OUT remaining bigint,
    OUT pieces bigint, OUT holder text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_tx schema.transactions;
    v_other text;
BEGIN
    -- The id first: it is open at most once, in whatever partition.
    PERFORM pg_advisory_xact_lock(hashtextextended(p_id, hashtextextended('schema.', 2)));
    SELECT t.partition INTO v_other FROM schema.transactions t
        WHERE t.id = p_id AND t.state = 0 AND t.partition <> p_partition;
    IF v_other IS NOT NULL AND schema.lock_of(v_other) < schema.lock_of(p_partition) THEN
        PERFORM schema.enter(v_other, true, NULL);
    END IF;
    PERFORM schema.enter(p_partition, true, NULL);
    IF v_other IS NOT NULL THEN
        PERFORM schema.enter(v_other, true, NULL);
        SELECT h.holder, h.remaining INTO holder, remaining FROM schema.held(v_other) h;
        IF holder = p_id THEN
            answer := 'elsewhere';
            RETURN;
        END IF;
    END IF;
    SELECT h.holder, h.remaining INTO holder, remaining FROM schema.held(p_partition) h;
    IF holder IS NOT NULL AND holder <> p_id THEN
        answer := 'locked';
        RETURN;
    END IF;
    IF holder IS NOT NULL THEN
        SELECT * INTO v_tx FROM schema.transactions t WHERE t.id = p_id AND t.state = 0;
        answer := 'open';
        incarnation := v_tx.incarnation;
        lifetime := v_tx.lifetime;
        SELECT count(*) INTO pieces FROM schema.staged s
            WHERE s.id = p_id AND s.incarnation = v_tx.incarnation;
        RETURN;
    END IF;
    answer := 'begun';
    incarnation := pg_current_xact_id()::text::bigint;
    lifetime := p_lifetime;
    remaining := p_lifetime;
    pieces := 0;
    INSERT INTO schema.transactions (id, incarnation, partition, lifetime, ends_at)
    VALUES (p_id, incarnation, p_partition, p_lifetime,
        clock_timestamp() + p_lifetime * interval '1 microsecond');
    PERFORM schema.forget_tx(p_partition);
END $$;

-- Forgets outcomes beyond the history: older than 7 days, and not among the last
-- 1,000 of the partition.
CREATE FUNCTION schema.forget_tx(p_partition text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_old timestamptz := clock_timestamp() - interval '7 days';
BEGIN
    IF NOT EXISTS (
        SELECT FROM (
            SELECT ended_at FROM schema.transactions
                WHERE partition = p_partition AND state <> 0 ORDER BY incarnation LIMIT 1
        ) oldest WHERE ended_at < v_old
    ) THEN
        RETURN;
    END IF;
    DELETE FROM schema.transactions t
        WHERE t.partition = p_partition AND t.state <> 0 AND t.ended_at < v_old
        AND t.incarnation <= (
            SELECT incarnation FROM schema.transactions
                WHERE partition = p_partition AND state <> 0
                ORDER BY incarnation DESC OFFSET 1000 LIMIT 1
        );
END $$;

CREATE FUNCTION schema.stage_tx(
    p_partition text, p_id text, p_incarnation bigint, p_number bigint, p_piece bytea
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM schema.enter(p_partition, false, '{}');
    -- Who ends it meanwhile waits, and takes the piece away too.
    PERFORM FROM schema.transactions t WHERE t.id = p_id AND t.incarnation = p_incarnation
        AND t.state = 0 AND clock_timestamp() < t.ends_at FOR SHARE;
    IF NOT FOUND THEN
        RETURN 'expired';
    END IF;
    IF p_number > (
        SELECT count(*) FROM schema.staged s WHERE s.id = p_id AND s.incarnation = p_incarnation
    ) THEN
        RETURN 'gap';
    END IF;
    INSERT INTO schema.staged VALUES (p_id, p_incarnation, p_number, p_piece)
        ON CONFLICT DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'done' ELSE 'busy' END;
END $$;

CREATE FUNCTION schema.commit_tx(
    p_id text, p_incarnation bigint, p_nonce text, p_staged bigint,
    p_partition text, p_ids text[], p_expect smallint[], p_seen text[], p_action smallint[],
    p_etags text[], p_created bigint[], p_at bigint[], p_by text[], p_bodies text[],
    p_docs text[], p_audit boolean,
    OUT answer text, OUT seq bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_tx schema.transactions;
    v_pieces bigint;
BEGIN
    PERFORM schema.enter(p_partition, true, NULL);
    SELECT * INTO v_tx FROM schema.transactions t
        WHERE t.id = p_id AND t.incarnation = p_incarnation AND t.partition = p_partition;
    IF NOT FOUND THEN
        answer := 'forgotten';
        RETURN;
    END IF;
    IF v_tx.state = 1 THEN
        answer := CASE WHEN v_tx.nonce = p_nonce THEN 'done' ELSE 'committed' END;
        seq := v_tx.position;
        RETURN;
    END IF;
    IF v_tx.state = 0 AND clock_timestamp() >= v_tx.ends_at THEN
        PERFORM schema.end_tx(p_id, p_incarnation, 2::smallint, NULL, NULL);
        answer := 'expired';
        RETURN;
    END IF;
    IF v_tx.state <> 0 THEN
        answer := 'expired';
        RETURN;
    END IF;
    SELECT count(*) INTO v_pieces FROM schema.staged s
        WHERE s.id = p_id AND s.incarnation = p_incarnation;
    IF v_pieces <> p_staged THEN
        answer := 'busy';
        RETURN;
    END IF;
    SELECT a.answer, a.seq INTO answer, seq
        FROM schema.apply(p_partition, p_ids, p_expect, p_seen, p_action, p_etags, p_created,
            p_at, p_by, p_bodies, p_docs, NULL, p_audit) a;
    IF answer <> 'done' THEN
        -- Somebody wrote past the lock: what was read under it is not there.
        PERFORM schema.end_tx(p_id, p_incarnation, 2::smallint, NULL, NULL);
        answer := 'overrun';
        RETURN;
    END IF;
    PERFORM schema.end_tx(p_id, p_incarnation, 1::smallint, seq, p_nonce);
END $$;

CREATE FUNCTION schema.abort_tx(p_partition text, p_id text, p_incarnation bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state smallint;
BEGIN
    PERFORM schema.enter(p_partition, true, NULL);
    SELECT t.state INTO v_state FROM schema.transactions t
        WHERE t.id = p_id AND t.incarnation = p_incarnation AND t.partition = p_partition;
    IF v_state = 0 THEN
        PERFORM schema.end_tx(p_id, p_incarnation, 2::smallint, NULL, NULL);
        RETURN 'done';
    END IF;
    RETURN CASE v_state WHEN 2 THEN 'done' WHEN 1 THEN 'committed' ELSE 'forgotten' END;
END $$;

-- Ends the transaction of a partition whose life is over.
CREATE FUNCTION schema.expire_tx(p_partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM schema.enter(p_partition, true, NULL);
    PERFORM schema.held(p_partition);
END $$;
