-- What a role did not see becomes what it may do with each field.
UPDATE role SET field_rights = (SELECT jsonb_object_agg(f, 'hidden') FROM jsonb_array_elements_text(hidden_fields) f)
WHERE jsonb_array_length(hidden_fields) > 0;

-- Which fields the workspace has, as a version that every change renews; asked for at the start of each transaction,
-- in the statement that also says whose it is: so by argument, not by the setting.
CREATE FUNCTION crm_schema_version(tenant uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT schema_version FROM workspace WHERE id = tenant
$$;

-- What an update changed, as {column: [old, new]}, custom fields each under "custom.<key>"; NULL when nothing.
CREATE OR REPLACE FUNCTION crm_touched(old_row jsonb, new_row jsonb, skip text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_object_agg(c.key, jsonb_build_array(c.was, c.value)) FROM (
    SELECT n.key, old_row -> n.key AS was, n.value
    FROM jsonb_each(new_row) n
    WHERE n.value IS DISTINCT FROM old_row -> n.key AND n.key <> 'custom' AND n.key <> ALL (skip)
    UNION ALL
    SELECT 'custom.' || k, old_row -> 'custom' -> k, new_row -> 'custom' -> k
    FROM (SELECT jsonb_object_keys(coalesce(old_row -> 'custom', '{}') || coalesce(new_row -> 'custom', '{}')) AS k
          WHERE new_row -> 'custom' IS DISTINCT FROM old_row -> 'custom') keys
    WHERE new_row -> 'custom' -> k IS DISTINCT FROM old_row -> 'custom' -> k
  ) c
$$;

-- A row with each custom field under "custom.<key>" in place of the column that holds them.
CREATE FUNCTION crm_flat(whole jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN coalesce(whole -> 'custom', '{}') = '{}' THEN whole - 'custom' ELSE
    whole - 'custom' || (SELECT jsonb_object_agg('custom.' || key, value) FROM jsonb_each(whole -> 'custom')) END
$$;
