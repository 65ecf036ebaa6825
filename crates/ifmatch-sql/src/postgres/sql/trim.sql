-- Forgets what is older than the history: older than 7 days, and followed by
-- 1,000 commits. One at a time, once an hour, and not too much at once: the
-- write that happens to do it pays for it.
CREATE FUNCTION schema.trim() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_old timestamptz := clock_timestamp() - interval '7 days';
    v_most CONSTANT integer := 10000;
    v_kept bigint;
    v_floor bigint;
    v_count bigint;
    v_again boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('schema.', 1)) THEN
        RETURN;
    END IF;
    PERFORM FROM schema.store WHERE trim_after < clock_timestamp();
    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT position INTO v_kept FROM (
        SELECT DISTINCT position FROM schema.tombstones ORDER BY position DESC LIMIT 1001
    ) newest ORDER BY position DESC OFFSET 1000;
    WITH gone AS (
        DELETE FROM schema.tombstones t
            WHERE (t.partition, t.id) IN (
                SELECT o.partition, o.id FROM schema.tombstones o
                    WHERE o.position <= v_kept ORDER BY o.position, o.ordinal LIMIT v_most
            ) AND t.recorded < v_old
            RETURNING t.position
    )
    SELECT max(position), count(*) INTO v_floor, v_count FROM gone;
    v_again := v_count = v_most;

    SELECT position INTO v_kept FROM (
        SELECT DISTINCT position FROM schema.audit ORDER BY position DESC LIMIT 1001
    ) newest ORDER BY position DESC OFFSET 1000;
    WITH gone AS (
        DELETE FROM schema.audit a
            WHERE (a.partition, a.position, a.ordinal) IN (
                SELECT o.partition, o.position, o.ordinal FROM schema.audit o
                    WHERE o.position <= v_kept ORDER BY o.position LIMIT v_most
            ) AND a.recorded < v_old
            RETURNING a.partition, a.position
    ), floors AS (
        INSERT INTO schema.audit_floors AS f (partition, floor)
        SELECT partition, max(position) FROM gone GROUP BY partition
        ON CONFLICT (partition) DO UPDATE SET floor = greatest(f.floor, excluded.floor)
    )
    SELECT count(*) INTO v_count FROM gone;

    UPDATE schema.store SET floor = greatest(floor, v_floor), trim_after = clock_timestamp()
        + CASE WHEN v_again OR v_count = v_most THEN interval '1 minute' ELSE interval '1 hour' END;
END $$;
