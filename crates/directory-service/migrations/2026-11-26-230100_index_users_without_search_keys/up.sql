create index concurrently users_without_search_keys on users (company_id) where search_keys is null;
