DROP TABLE vouched_domains;
DROP INDEX single_sign_on_issuer_idx;
ALTER TABLE single_sign_on ADD CONSTRAINT single_sign_on_issuer_key UNIQUE (issuer);
ALTER TABLE person_sessions DROP COLUMN ends_at;
ALTER TABLE sign_in_tests DROP COLUMN role;
ALTER TABLE sign_in_tests DROP COLUMN set_up_at;
ALTER TABLE sign_in_requests DROP COLUMN network_key;
