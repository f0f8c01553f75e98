-- Needed by generated columns, so before the tables.

-- Folded text for search: lower case, accents off, punctuation to blanks (the wheel's server has no unaccent).
-- Plain ASCII takes the short way: translate() compares each character with each of its list.
CREATE FUNCTION crm_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length($1) = length($1) THEN
    translate(lower($1), '@.-+_/,;:()''"&|!<>*\', '                    ')
  ELSE translate(
    replace(lower($1), 'ß', 'ss'),
    'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĳĵķĸĺļľŀłńņňŉŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżžſ@.-+_/,;:()''"&|!<>*\',
    'aaaaaaaceeeeiiiidnoooooouuuuytyaaaccccddeeeeegggghhiiiiiijkklllllnnnnnoooorrrsssstttuuuuuuwyzzzs                    ')
  END
$$;
