-- The day that a formula puts together, NULL where the calendar has none: unlike make_date it fails on no number.
CREATE FUNCTION crm_day_of(y numeric, m numeric, d numeric) RETURNS date
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  found date;
BEGIN
  IF trunc(y) NOT BETWEEN 1 AND 9999 OR trunc(m) NOT BETWEEN 1 AND 12 OR trunc(d) NOT BETWEEN 1 AND 31 THEN
    RETURN NULL;
  END IF;
  found := make_date(trunc(y)::int, trunc(m)::int, 1) + (trunc(d)::int - 1);
  RETURN CASE WHEN extract(month FROM found) = trunc(m) THEN found END;
END $$;
