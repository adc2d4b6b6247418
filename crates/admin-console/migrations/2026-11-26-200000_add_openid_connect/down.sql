ALTER TABLE single_sign_on DROP COLUMN keys_sought_at;
ALTER TABLE single_sign_on DROP COLUMN keys;
ALTER TABLE single_sign_on DROP COLUMN client_id;
