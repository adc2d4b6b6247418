-- OpenID Connect beside SAML: `metadata` then holds the provider's configuration, which is JSON, and `metadata_url` its
-- address. Code that knows SAML alone leaves these columns out, and reads such a company as one with passwords.

-- What the provider calls us; empty where SAML is spoken.
ALTER TABLE single_sign_on ADD COLUMN client_id text NOT NULL DEFAULT '';
-- The provider's keys as they were read, a JWK set.
ALTER TABLE single_sign_on ADD COLUMN keys text NOT NULL DEFAULT '';
-- When they were last read because of a key that was not among them: nobody makes us ask without end.
ALTER TABLE single_sign_on ADD COLUMN keys_sought_at timestamptz NOT NULL DEFAULT '1970-01-01T00:00:00Z';
