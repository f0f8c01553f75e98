-- The tenants' own table has no tenant_id, which crm_audit reads: its entries stand under the workspace's id.
CREATE FUNCTION crm_audit_workspace() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  skip text[] := ARRAY['id', 'created_at'];
  who uuid := nullif(current_setting('app.user_id', true), '')::uuid;
  source text := coalesce(nullif(current_setting('app.source', true), ''), 'sql');
  ip text := coalesce(current_setting('app.ip', true), '');
  agent text := coalesce(current_setting('app.user_agent', true), '');
  request text := coalesce(current_setting('app.request_id', true), '');
BEGIN
  IF tg_op = 'INSERT' THEN
    INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
    SELECT n.id, who, source, 'workspace', n.id, 'create',
           (SELECT jsonb_object_agg(e.key, jsonb_build_array(NULL, e.value)) FROM jsonb_each(to_jsonb(n)) e
            WHERE e.key <> ALL (skip) AND e.value NOT IN ('null'::jsonb, '""'::jsonb)), ip, agent, request
    FROM new_rows n;
  ELSIF tg_op = 'UPDATE' THEN
    INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
    SELECT n.id, who, source, 'workspace', n.id, 'update', d.changes, ip, agent, request
    FROM new_rows n
    JOIN old_rows o ON o.id = n.id
    CROSS JOIN LATERAL (SELECT crm_touched(to_jsonb(o), to_jsonb(n), skip) AS changes) d
    WHERE d.changes IS NOT NULL;
  ELSE
    INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
    SELECT o.id, who, source, 'workspace', o.id, 'purge',
           (SELECT jsonb_object_agg(e.key, jsonb_build_array(e.value, NULL)) FROM jsonb_each(to_jsonb(o)) e
            WHERE e.key <> ALL (skip) AND e.value <> 'null'::jsonb), ip, agent, request
    FROM old_rows o;
  END IF;
  RETURN NULL;
END $$;
