-- Old and new rows of a change of many are told apart in one pass. FULL JOIN, though every row has its other half: it is
-- the join that PostgreSQL never does by comparing each with each. It plans for the first change it meets, mostly of one
-- row, and keeps that plan for changes of 100,000. (OFFSET 0
-- keeps conditions outside from making it another join.)

-- Audit: old and new of every changed column, whoever changed it and by whatever statement.
-- Trigger arguments: '-column' leaves a column out, '*column' writes *** instead of its values.
CREATE OR REPLACE FUNCTION crm_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    FULL JOIN old_rows o ON o.tenant_id = n.tenant_id AND o.id = n.id
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

CREATE OR REPLACE FUNCTION crm_opportunity_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (tenant_id, id) WHERE coalesce(n.stage_id <> o.stage_id, false)) THEN
    -- Entering a stage at an earlier time than the present stay began is an undo: that stay never was.
    DELETE FROM stage_history h USING (
      SELECT n.*, o.stage_id AS from_stage_id, o.stage_entered_at AS was_entered_at
      FROM new_rows n FULL JOIN old_rows o USING (tenant_id, id) WHERE coalesce(n.stage_id <> o.stage_id, false) OFFSET 0) n
    WHERE n.stage_entered_at < n.was_entered_at
      AND h.tenant_id = n.tenant_id AND h.opportunity_id = n.id AND h.entered_at > n.stage_entered_at;
    UPDATE stage_history h SET left_at = NULL FROM (
      SELECT n.*, o.stage_id AS from_stage_id, o.stage_entered_at AS was_entered_at
      FROM new_rows n FULL JOIN old_rows o USING (tenant_id, id) WHERE coalesce(n.stage_id <> o.stage_id, false) OFFSET 0) n
    WHERE n.stage_entered_at < n.was_entered_at AND h.tenant_id = n.tenant_id
      AND h.opportunity_id = n.id AND h.stage_id = n.stage_id AND h.entered_at = n.stage_entered_at;
    -- Whatever stay lasts, or lasted until later, ends where the new one begins.
    UPDATE stage_history h SET left_at = n.stage_entered_at FROM (
      SELECT n.*, o.stage_id AS from_stage_id, o.stage_entered_at AS was_entered_at
      FROM new_rows n FULL JOIN old_rows o USING (tenant_id, id) WHERE coalesce(n.stage_id <> o.stage_id, false) OFFSET 0) n
    WHERE h.tenant_id = n.tenant_id AND h.opportunity_id = n.id AND coalesce(h.left_at, 'infinity') > n.stage_entered_at
      AND NOT (n.stage_entered_at < n.was_entered_at AND h.stage_id = n.stage_id AND h.entered_at = n.stage_entered_at);
    INSERT INTO stage_history (tenant_id, id, opportunity_id, pipeline_id, stage_id, from_stage_id, entered_at, owner_id,
                               moved_by_id, amount_minor, currency, probability)
    SELECT n.tenant_id, gen_random_uuid(), n.id, n.pipeline_id, n.stage_id, n.from_stage_id, n.stage_entered_at, n.owner_id,
           nullif(current_setting('app.user_id', true), '')::uuid, n.amount_minor, n.currency, n.probability
    FROM (
      SELECT n.*, o.stage_id AS from_stage_id, o.stage_entered_at AS was_entered_at
      FROM new_rows n FULL JOIN old_rows o USING (tenant_id, id) WHERE coalesce(n.stage_id <> o.stage_id, false) OFFSET 0) n
    WHERE NOT EXISTS (SELECT FROM stage_history h
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
