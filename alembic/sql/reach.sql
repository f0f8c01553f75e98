-- Whom a territory names: accounts by country and industry, whatever their case. One that asks for nothing holds nothing.
CREATE FUNCTION crm_in_territory(countries jsonb, industries jsonb, country text, industry text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (countries <> '[]' OR industries <> '[]')
    AND (countries = '[]' OR EXISTS (SELECT FROM jsonb_array_elements_text(countries) c WHERE lower(c) = lower(country)))
    AND (industries = '[]' OR EXISTS (SELECT FROM jsonb_array_elements_text(industries) i WHERE lower(i) = lower(industry)))
$$;

-- Which accounts lie in which territory is kept, so that a list asks an index. Written here alone.
CREATE FUNCTION crm_territory_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM territory_account t USING new_rows n WHERE t.tenant_id = n.tenant_id AND t.territory_id = n.id;
  INSERT INTO territory_account (tenant_id, territory_id, account_id)
  SELECT n.tenant_id, n.id, a.id FROM new_rows n
  JOIN account a ON a.tenant_id = n.tenant_id AND crm_in_territory(n.countries, n.industries, a.country, a.industry)
  WHERE n.deleted_at IS NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION crm_account_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM territory WHERE tenant_id = (SELECT n.tenant_id FROM new_rows n LIMIT 1)) THEN
    INSERT INTO territory_account (tenant_id, territory_id, account_id)
    SELECT n.tenant_id, t.id, n.id FROM new_rows n
    JOIN territory t ON t.tenant_id = n.tenant_id AND t.deleted_at IS NULL
      AND crm_in_territory(t.countries, t.industries, n.country, n.industry);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION crm_account_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  moved uuid[];
  tenant uuid;
BEGIN
  SELECT n.tenant_id INTO tenant FROM new_rows n LIMIT 1;
  IF NOT EXISTS (SELECT FROM territory WHERE tenant_id = tenant) THEN
    RETURN NULL;
  END IF;
  -- FULL JOIN: see changes_of_many.sql.
  SELECT array_agg(n.id) INTO moved FROM new_rows n FULL JOIN old_rows o ON o.tenant_id = n.tenant_id AND o.id = n.id
  WHERE (n.country, n.industry) IS DISTINCT FROM (o.country, o.industry);
  IF moved IS NOT NULL THEN
    DELETE FROM territory_account WHERE tenant_id = tenant AND account_id = ANY (moved);
    INSERT INTO territory_account (tenant_id, territory_id, account_id)
    SELECT a.tenant_id, t.id, a.id FROM account a
    JOIN territory t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
      AND crm_in_territory(t.countries, t.industries, a.country, a.industry)
    WHERE a.tenant_id = tenant AND a.id = ANY (moved);
  END IF;
  RETURN NULL;
END $$;

-- Looks made before the tenant is known. What an actor reaches beyond the records of its owners is read along: nothing for
-- roles that see all, empty arrays where nothing is shared and no territory is named.
CREATE FUNCTION crm_account_purged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM territory_account t USING old_rows o WHERE t.tenant_id = o.tenant_id AND t.account_id = o.id;
  RETURN NULL;
END $$;

CREATE FUNCTION crm_standing(tenant uuid, person uuid)
RETURNS TABLE (tenant_id uuid, user_id uuid, name text, email text, time_zone text, currency text, workspace text, scope text,
               permissions jsonb, field_rights jsonb, role text, team_ids uuid[], territory_ids uuid[], shared text[])
LANGUAGE sql STABLE AS $$
  SELECT u.tenant_id, u.id, u.name, u.email, coalesce(nullif(u.time_zone, ''), w.time_zone), w.currency, w.name, r.scope,
         r.permissions, r.field_rights, r.name,
         CASE WHEN r.scope IN ('team', 'territory') THEN crm_team_users(u.tenant_id, u.id) ELSE ARRAY[u.id] END,
         CASE WHEN r.scope = 'territory' THEN
           ARRAY(SELECT m.territory_id FROM territory_member m WHERE m.tenant_id = u.tenant_id AND m.user_id = u.id)
         ELSE '{}' END,
         CASE WHEN r.scope = 'all' THEN '{}' ELSE
           ARRAY(SELECT DISTINCT s.entity::text FROM record_share s WHERE s.tenant_id = u.tenant_id AND s.user_id = u.id) END
  FROM crm_user u
  JOIN role r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
  JOIN workspace w ON w.id = u.tenant_id
  WHERE u.tenant_id = tenant AND u.id = person AND u.deleted_at IS NULL AND u.status = 'active'
$$;

DROP FUNCTION crm_session_user(text);
DROP FUNCTION crm_api_key_user(text);
DROP FUNCTION crm_api_family_user(uuid, uuid);

-- A session in which somebody looks as another person answers for that person, as long as both may come in.
CREATE FUNCTION crm_session_user(digest text)
RETURNS TABLE (tenant_id uuid, user_id uuid, name text, email text, time_zone text, currency text, workspace text, scope text,
               permissions jsonb, field_rights jsonb, role text, team_ids uuid[], territory_ids uuid[], shared text[],
               session_id uuid, last_seen_at timestamptz, preferences jsonb, viewer_id uuid, viewer text,
               viewing_until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT who.*, s.id, s.last_seen_at, coalesce(o.preferences, u.preferences), CASE WHEN o.id IS NOT NULL THEN u.id END,
         CASE WHEN o.id IS NOT NULL THEN u.name END, CASE WHEN o.id IS NOT NULL THEN s.viewing_until END
  FROM user_session s
  JOIN crm_user u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.deleted_at IS NULL AND u.status = 'active'
  LEFT JOIN crm_user o ON s.viewing_until > now() AND o.tenant_id = s.tenant_id AND o.id = s.viewing_id
    AND o.deleted_at IS NULL AND o.status = 'active'
  CROSS JOIN LATERAL crm_standing(s.tenant_id, coalesce(o.id, u.id)) who
  WHERE s.token_hash = digest AND s.revoked_at IS NULL AND s.expires_at > now()
$$;

CREATE FUNCTION crm_api_key_user(digest text)
RETURNS TABLE (tenant_id uuid, user_id uuid, name text, email text, time_zone text, currency text, workspace text, scope text,
               permissions jsonb, field_rights jsonb, role text, team_ids uuid[], territory_ids uuid[], shared text[],
               key_id uuid, scopes jsonb, per_minute int, expires_at timestamptz, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT who.*, k.id, k.scopes, k.per_minute, k.expires_at, k.last_used_at
  FROM api_key k CROSS JOIN LATERAL crm_standing(k.tenant_id, k.user_id) who
  WHERE k.token_hash = digest AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;

CREATE FUNCTION crm_api_family_user(tenant uuid, wanted uuid)
RETURNS TABLE (tenant_id uuid, user_id uuid, name text, email text, time_zone text, currency text, workspace text, scope text,
               permissions jsonb, field_rights jsonb, role text, team_ids uuid[], territory_ids uuid[], shared text[],
               key_id uuid, scopes jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT who.*, t.family, t.scopes
  FROM api_token t CROSS JOIN LATERAL crm_standing(t.tenant_id, t.user_id) who
  WHERE t.tenant_id = tenant AND t.family = wanted AND t.revoked_at IS NULL LIMIT 1
$$;
