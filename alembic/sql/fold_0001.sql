-- Needed by generated columns, so before the tables.

-- Folded text for search: lower case, accents off, punctuation to blanks (the wheel's server has no unaccent).
CREATE FUNCTION crm_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT translate(
    replace(lower($1), 'ß', 'ss'),
    'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĳĵķĸĺļľŀłńņňŉŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżžſ@.-+_/,;:()''"&|!<>*\',
    'aaaaaaaceeeeiiiidnoooooouuuuytyaaaccccddeeeeegggghhiiiiiijkklllllnnnnnoooorrrsssstttuuuuuuwyzzzs                    ')
$$;
