-- crm_search over any table that has a search_text: what is found, the best first, of many the newest. Who asks names the
-- rows: their titles stand in columns that are not known here. With the rights of crm_search, which alone calls it: @@ is
-- not leakproof and would not use its index under row-level security. It keeps to the tenant by itself and, where rows
-- have an owner, to `owners` when given.
CREATE FUNCTION crm_search_any(kind text, query tsquery, owners uuid[], lim integer)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
  tenant uuid := current_setting('app.tenant_id')::uuid;
  most integer := greatest(500, lim);
  there text[];
  fits text := 't.tenant_id = $1 AND t.deleted_at IS NULL AND t.search_text @@ $2';
  hits uuid[];
BEGIN
  SELECT array_agg(a.attname::text) INTO there
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname = kind AND NOT a.attisdropped
    AND a.attname IN ('tenant_id', 'deleted_at', 'search_text', 'owner_id');
  IF there IS NULL OR NOT there @> ARRAY['tenant_id', 'deleted_at', 'search_text'] THEN
    RAISE EXCEPTION 'no search over %', kind;
  END IF;
  IF owners IS NOT NULL AND 'owner_id' = ANY (there) THEN
    fits := fits || ' AND (t.owner_id = ANY ($3) OR t.owner_id IS NULL)';
  END IF;
  EXECUTE format('SELECT array_agg(h.id) FROM (SELECT t.id FROM %I t WHERE %s LIMIT $4) h', kind, fits)
    INTO hits USING tenant, query, owners, most;
  IF cardinality(hits) < most THEN
    RETURN QUERY EXECUTE format(
      'SELECT t.id FROM %I t WHERE t.tenant_id = $1 AND t.id = ANY ($2)'
      ' ORDER BY ts_rank(t.search_text, $3) DESC, t.id DESC LIMIT $4', kind)
      USING tenant, hits, query, lim;
  ELSE
    RETURN QUERY EXECUTE format('SELECT t.id FROM %I t WHERE %s ORDER BY t.id DESC LIMIT $4', kind, fits)
      USING tenant, query, owners, lim;
  END IF;
END $$;
