-- Functions of the first migration that need its tables. Later changes go into files of later migrations.

-- What an update changed, as {column: [old, new]}; NULL when nothing.
CREATE FUNCTION crm_touched(old_row jsonb, new_row jsonb, skip text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_object_agg(n.key, jsonb_build_array(old_row -> n.key, n.value))
  FROM jsonb_each(new_row) n
  WHERE n.value IS DISTINCT FROM old_row -> n.key AND n.key <> ALL (skip)
$$;

-- Audit: old and new of every changed column, whoever changed it and by whatever statement.
-- Trigger arguments: '-column' leaves a column out, '*column' writes *** instead of its values.
CREATE FUNCTION crm_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  skip text[] := ARRAY['tenant_id', 'id', 'version', 'created_at', 'created_by_id', 'updated_at', 'updated_by_id',
                       'sort_key', 'name_key', 'email_key', 'phone_key', 'search_text'];
  secret text[] := ARRAY[]::text[];
  entity text := coalesce(nullif(tg_argv[0], ''), tg_table_name);
  who uuid := nullif(current_setting('app.user_id', true), '')::uuid;
  source text := coalesce(nullif(current_setting('app.source', true), ''), 'sql');
  ip text := coalesce(current_setting('app.ip', true), '');
  agent text := coalesce(current_setting('app.user_agent', true), '');
  request text := coalesce(current_setting('app.request_id', true), '');
BEGIN
  FOR i IN 1 .. tg_nargs - 1 LOOP
    IF left(tg_argv[i], 1) = '-' THEN skip := skip || substr(tg_argv[i], 2);
    ELSIF left(tg_argv[i], 1) = '*' THEN secret := secret || substr(tg_argv[i], 2);
    END IF;
  END LOOP;
  IF tg_op = 'INSERT' THEN
    -- An import names the batch, not every value: what a record was at first follows from its first change or itself.
    INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
    SELECT r.tenant_id, who, source, entity, r.id, 'create',
           CASE WHEN source = 'import' THEN '{}'::jsonb ELSE
             coalesce((SELECT jsonb_object_agg(e.key, jsonb_build_array(NULL, CASE WHEN e.key = ANY (secret) THEN '"***"'::jsonb ELSE e.value END))
              FROM jsonb_each(to_jsonb(r)) e
              WHERE e.value NOT IN ('null'::jsonb, '""'::jsonb, '[]'::jsonb, '{}'::jsonb) AND e.key <> ALL (skip)), '{}'::jsonb) END,
           ip, agent, request
    FROM new_rows r;
  ELSIF tg_op = 'UPDATE' THEN
    INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
    SELECT n.tenant_id, who, source, entity, n.id,
           CASE WHEN d.changes ? 'deleted_at' THEN
             CASE WHEN d.changes -> 'deleted_at' -> 1 = 'null'::jsonb THEN 'restore' ELSE 'delete' END
           ELSE 'update' END,
           CASE WHEN secret = ARRAY[]::text[] THEN d.changes ELSE
             (SELECT jsonb_object_agg(e.key, CASE WHEN e.key = ANY (secret) THEN '["***", "***"]'::jsonb ELSE e.value END)
              FROM jsonb_each(d.changes) e) END,
           ip, agent, request
    FROM new_rows n
    JOIN old_rows o ON o.tenant_id = n.tenant_id AND o.id = n.id
    CROSS JOIN LATERAL (SELECT crm_touched(to_jsonb(o), to_jsonb(n), skip) AS changes) d
    WHERE d.changes IS NOT NULL;
  ELSE
    INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
    SELECT o.tenant_id, who, source, entity, o.id, 'purge',
           coalesce((SELECT jsonb_object_agg(e.key, jsonb_build_array(CASE WHEN e.key = ANY (secret) THEN '"***"'::jsonb ELSE e.value END, NULL))
            FROM jsonb_each(to_jsonb(o)) e WHERE e.value <> 'null'::jsonb AND e.key <> ALL (skip)), '{}'::jsonb),
           ip, agent, request
    FROM old_rows o;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION crm_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', tg_table_name, tg_op USING ERRCODE = 'insufficient_privilege';
END $$;

-- Partitions of the audit log: this month and `ahead` more.
CREATE FUNCTION crm_audit_partitions(ahead integer DEFAULT 3) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
  made integer := 0;
  part text;
BEGIN
  FOR i IN 0 .. ahead LOOP
    part := 'audit_log_' || to_char(month, 'YYYYMM');
    IF to_regclass(part) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF audit_log FOR VALUES FROM (%L) TO (%L)', part,
                     month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
      -- Row triggers come from the whole log; one against TRUNCATE does not.
      EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION crm_append_only()', part);
      made := made + 1;
    END IF;
    month := (month + interval '1 month')::date;
  END LOOP;
  RETURN made;
END $$;

-- Facts about opportunities: stage history and stage totals, in the transaction of the change.
CREATE FUNCTION crm_opportunity_created() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- The first stay has the deal's own id: it sorts by time, so that a large import writes no random pages.
  INSERT INTO stage_history (tenant_id, id, opportunity_id, pipeline_id, stage_id, from_stage_id, entered_at, owner_id,
                             moved_by_id, amount_minor, currency, probability)
  SELECT tenant_id, id, id, pipeline_id, stage_id, NULL, stage_entered_at, owner_id,
         created_by_id, amount_minor, currency, probability FROM new_rows;
  INSERT INTO stage_total AS t (tenant_id, stage_id, owner_id, currency, health, deals, amount_minor, weighted_minor)
  SELECT tenant_id, stage_id, owner_id, currency, health, count(*), sum(amount_minor), sum(amount_minor * probability / 100)
  FROM new_rows WHERE deleted_at IS NULL
  GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (tenant_id, stage_id, owner_id, currency, health) DO UPDATE SET deals = t.deals + excluded.deals,
    amount_minor = t.amount_minor + excluded.amount_minor, weighted_minor = t.weighted_minor + excluded.weighted_minor;
  RETURN NULL;
END $$;

CREATE FUNCTION crm_opportunity_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM new_rows n JOIN old_rows o USING (tenant_id, id) WHERE n.stage_id <> o.stage_id) THEN
    -- Entering a stage at an earlier time than the present stay began is an undo: that stay never was.
    DELETE FROM stage_history h USING new_rows n JOIN old_rows o USING (tenant_id, id)
    WHERE n.stage_id <> o.stage_id AND n.stage_entered_at < o.stage_entered_at
      AND h.tenant_id = n.tenant_id AND h.opportunity_id = n.id AND h.entered_at > n.stage_entered_at;
    UPDATE stage_history h SET left_at = NULL FROM new_rows n JOIN old_rows o USING (tenant_id, id)
    WHERE n.stage_id <> o.stage_id AND n.stage_entered_at < o.stage_entered_at AND h.tenant_id = n.tenant_id
      AND h.opportunity_id = n.id AND h.stage_id = n.stage_id AND h.entered_at = n.stage_entered_at;
    -- Whatever stay lasts, or lasted until later, ends where the new one begins.
    UPDATE stage_history h SET left_at = n.stage_entered_at
    FROM new_rows n JOIN old_rows o USING (tenant_id, id)
    WHERE n.stage_id <> o.stage_id AND h.tenant_id = n.tenant_id AND h.opportunity_id = n.id
      AND coalesce(h.left_at, 'infinity') > n.stage_entered_at
      AND NOT (n.stage_entered_at < o.stage_entered_at AND h.stage_id = n.stage_id AND h.entered_at = n.stage_entered_at);
    INSERT INTO stage_history (tenant_id, id, opportunity_id, pipeline_id, stage_id, from_stage_id, entered_at, owner_id,
                               moved_by_id, amount_minor, currency, probability)
    SELECT n.tenant_id, gen_random_uuid(), n.id, n.pipeline_id, n.stage_id, o.stage_id, n.stage_entered_at, n.owner_id,
           nullif(current_setting('app.user_id', true), '')::uuid, n.amount_minor, n.currency, n.probability
    FROM new_rows n JOIN old_rows o USING (tenant_id, id)
    WHERE n.stage_id <> o.stage_id AND NOT EXISTS (SELECT FROM stage_history h
      WHERE h.tenant_id = n.tenant_id AND h.opportunity_id = n.id AND h.left_at IS NULL);
  END IF;
  INSERT INTO stage_total AS t (tenant_id, stage_id, owner_id, currency, health, deals, amount_minor, weighted_minor)
  SELECT tenant_id, stage_id, owner_id, currency, health, sum(n), sum(a), sum(w) FROM (
    SELECT tenant_id, stage_id, owner_id, currency, health, 1 AS n, amount_minor AS a, amount_minor * probability / 100 AS w
    FROM new_rows WHERE deleted_at IS NULL
    UNION ALL
    SELECT tenant_id, stage_id, owner_id, currency, health, -1, -amount_minor, -(amount_minor * probability / 100)
    FROM old_rows WHERE deleted_at IS NULL
  ) d
  GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 OR sum(a) <> 0 OR sum(w) <> 0 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (tenant_id, stage_id, owner_id, currency, health) DO UPDATE SET deals = t.deals + excluded.deals,
    amount_minor = t.amount_minor + excluded.amount_minor, weighted_minor = t.weighted_minor + excluded.weighted_minor;
  RETURN NULL;
END $$;

CREATE FUNCTION crm_opportunity_purged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE stage_total t SET deals = t.deals - d.n, amount_minor = t.amount_minor - d.a, weighted_minor = t.weighted_minor - d.w
  FROM (SELECT tenant_id, stage_id, owner_id, currency, health, count(*) AS n, sum(amount_minor) AS a,
               sum(amount_minor * probability / 100) AS w
        FROM old_rows WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5) d
  WHERE (t.tenant_id, t.stage_id, t.owner_id, t.currency, t.health) = (d.tenant_id, d.stage_id, d.owner_id, d.currency, d.health);
  DELETE FROM stage_total t USING (SELECT DISTINCT tenant_id, stage_id FROM old_rows) o
  WHERE t.tenant_id = o.tenant_id AND t.stage_id = o.stage_id AND t.deals = 0 AND t.amount_minor = 0 AND t.weighted_minor = 0;
  RETURN NULL;
END $$;

-- A purged opportunity takes its stays with it; runs before the foreign key is checked.
CREATE FUNCTION crm_opportunity_purging() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM stage_history WHERE tenant_id = old.tenant_id AND opportunity_id = old.id;
  RETURN old;
END $$;

-- Whom the scope "team" shows: the members of one's team, and of every team one manages, with the teams below it.
CREATE FUNCTION crm_team_users(tenant uuid, person uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH RECURSIVE mine AS (
    SELECT t.id FROM team t WHERE t.tenant_id = tenant AND t.deleted_at IS NULL AND t.manager_id = person
    UNION
    SELECT c.id FROM team c JOIN mine m ON c.parent_id = m.id WHERE c.tenant_id = tenant AND c.deleted_at IS NULL
  )
  SELECT array_agg(DISTINCT u.id) || person FROM crm_user u
  WHERE u.tenant_id = tenant AND (u.team_id IN (SELECT id FROM mine)
    OR u.team_id = (SELECT p.team_id FROM crm_user p JOIN team t ON t.tenant_id = p.tenant_id AND t.id = p.team_id
                    WHERE p.tenant_id = tenant AND p.id = person AND t.deleted_at IS NULL))
$$;

-- Sign-in happens before the tenant is known: these few functions look across tenants, each for one exact key.
CREATE FUNCTION crm_sign_in_candidates(key text)
RETURNS TABLE (tenant_id uuid, user_id uuid, password_hash text, status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.tenant_id, u.id, u.password_hash, u.status FROM crm_user u
  WHERE u.email_key = key AND u.deleted_at IS NULL ORDER BY u.last_seen_at DESC NULLS LAST LIMIT 10
$$;

CREATE FUNCTION crm_session_user(digest text)
RETURNS TABLE (session_id uuid, tenant_id uuid, user_id uuid, last_seen_at timestamptz, name text, email text, time_zone text,
               currency text, workspace text, scope text, permissions jsonb, hidden_fields jsonb, role text, team_id uuid,
               team_ids uuid[], preferences jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, u.tenant_id, u.id, s.last_seen_at, u.name, u.email, coalesce(nullif(u.time_zone, ''), w.time_zone), w.currency,
         w.name, r.scope, r.permissions, r.hidden_fields, r.name, u.team_id,
         CASE WHEN r.scope = 'team' THEN crm_team_users(u.tenant_id, u.id) ELSE ARRAY[u.id] END, u.preferences
  FROM user_session s
  JOIN crm_user u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.deleted_at IS NULL AND u.status = 'active'
  JOIN role r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
  JOIN workspace w ON w.id = u.tenant_id
  WHERE s.token_hash = digest AND s.revoked_at IS NULL AND s.expires_at > now()
$$;

CREATE FUNCTION crm_link_user(digest text)
RETURNS TABLE (link_id uuid, tenant_id uuid, user_id uuid, purpose text, email text, name text, workspace text, is_open boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT l.id, l.tenant_id, l.user_id, l.purpose, u.email, u.name, w.name,
         l.used_at IS NULL AND l.expires_at > now() AND u.deleted_at IS NULL AND u.status <> 'disabled'
  FROM one_time_link l
  JOIN crm_user u ON u.tenant_id = l.tenant_id AND u.id = l.user_id
  JOIN workspace w ON w.id = l.tenant_id
  WHERE l.token_hash = digest
$$;

-- Tenants by id, for the clock, which then opens one unit of work each.
CREATE FUNCTION crm_tenants() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT id FROM workspace ORDER BY id $$;

-- Full-text search by prefixes over one kind of record. Definer, because @@ is not leakproof and would not use its index
-- under row-level security; it keeps to the tenant by itself and to `owners` when given. Deals are also found by the
-- name of their account, open ones first.
CREATE FUNCTION crm_search(kind text, query tsquery, owners uuid[], lim integer)
RETURNS TABLE (id uuid, title text, detail text, extra text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE tenant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  CASE kind
  WHEN 'opportunity' THEN RETURN QUERY
    SELECT b.id, b.name::text, concat_ws(' · ', b.number, a.name), s.name::text FROM (
      SELECT h.* FROM (
        (SELECT o.id, o.name, o.number, o.account_id, o.stage_id, o.status, ts_rank(o.search_text, query) AS rank
         FROM opportunity o
         WHERE o.tenant_id = tenant AND o.deleted_at IS NULL AND o.search_text @@ query
           AND (owners IS NULL OR o.owner_id = ANY (owners)) LIMIT 500)
        UNION ALL
        (SELECT o.id, o.name, o.number, o.account_id, o.stage_id, o.status, 0
         FROM opportunity o
         WHERE o.tenant_id = tenant AND o.deleted_at IS NULL AND NOT o.search_text @@ query
           AND o.account_id = ANY (ARRAY(SELECT c.id FROM account c
             WHERE c.tenant_id = tenant AND c.deleted_at IS NULL AND c.search_text @@ query LIMIT 20))
           AND (owners IS NULL OR o.owner_id = ANY (owners)) LIMIT 100)
      ) h ORDER BY h.status <> 'open', h.rank DESC, h.name, h.id LIMIT lim) b
    JOIN account a ON a.tenant_id = tenant AND a.id = b.account_id
    JOIN stage s ON s.tenant_id = tenant AND s.id = b.stage_id
    ORDER BY b.status <> 'open', b.rank DESC, b.name, b.id;
  WHEN 'account' THEN RETURN QUERY
    SELECT h.id, h.name::text, h.city::text, h.industry::text FROM (
      SELECT a.id, a.name, a.city, a.industry, a.search_text FROM account a
      WHERE a.tenant_id = tenant AND a.deleted_at IS NULL AND a.search_text @@ query
        AND (owners IS NULL OR a.owner_id = ANY (owners)) LIMIT 500) h
    ORDER BY ts_rank(h.search_text, query) DESC, h.name, h.id LIMIT lim;
  WHEN 'contact' THEN RETURN QUERY
    SELECT b.id, b.name::text, coalesce(a.name, '')::text, b.title::text FROM (
      SELECT h.*, ts_rank(h.search_text, query) AS rank FROM (
        SELECT c.id, c.name, c.title, c.account_id, c.search_text FROM contact c
        WHERE c.tenant_id = tenant AND c.deleted_at IS NULL AND c.search_text @@ query
          AND (owners IS NULL OR c.owner_id = ANY (owners)) LIMIT 500) h
      ORDER BY rank DESC, h.name, h.id LIMIT lim) b
    LEFT JOIN account a ON a.tenant_id = tenant AND a.id = b.account_id
    ORDER BY b.rank DESC, b.name, b.id;
  WHEN 'product' THEN RETURN QUERY
    SELECT h.id, h.name::text, h.sku::text, h.family::text FROM (
      SELECT p.id, p.name, p.sku, p.family, p.search_text FROM product p
      WHERE p.tenant_id = tenant AND p.deleted_at IS NULL AND p.search_text @@ query LIMIT 500) h
    ORDER BY ts_rank(h.search_text, query) DESC, h.name, h.id LIMIT lim;
  ELSE RAISE EXCEPTION 'no search over %', kind;
  END CASE;
END $$;
