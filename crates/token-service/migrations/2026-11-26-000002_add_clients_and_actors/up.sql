-- Who issued it; empty for what was issued before actors were recorded.
ALTER TABLE tokens
  ADD COLUMN created_by text NOT NULL DEFAULT '' CONSTRAINT tokens_created_by_length CHECK (char_length(created_by) <= 254);

-- An act is done by somebody, to a token, a client or a secret.
-- Types are changed rather than rows updated: row level security would hide every row from an UPDATE.
ALTER TABLE token_events DROP CONSTRAINT token_events_kind;
ALTER TABLE token_events ALTER COLUMN kind TYPE text USING 'token.' || kind;
ALTER TABLE token_events RENAME COLUMN kind TO act;
ALTER TABLE token_events ALTER COLUMN token_id TYPE text USING token_id::text;
ALTER TABLE token_events RENAME COLUMN token_id TO target;
ALTER TABLE token_events
  ADD COLUMN actor_kind    text CONSTRAINT token_events_actor_kind CHECK (actor_kind IN ('administrator', 'operator', 'system')),
  ADD COLUMN actor_name    text NOT NULL DEFAULT '' CONSTRAINT token_events_actor_name_length CHECK (char_length(actor_name) <= 254),
  ADD COLUMN actor_address text NOT NULL DEFAULT '' CONSTRAINT token_events_actor_address_length CHECK (char_length(actor_address) <= 45),
  ADD COLUMN note          text NOT NULL DEFAULT '' CONSTRAINT token_events_note_length CHECK (char_length(note) <= 1000),
  ADD CONSTRAINT token_events_target_length CHECK (char_length(target) BETWEEN 1 AND 254);

-- What was done stays written: the service adds to it and reads it.
REVOKE UPDATE, DELETE, TRUNCATE ON token_events FROM token_service;

-- OAuth clients. Those with a tenant prove themselves by that tenant's assertions, the others by secrets.
CREATE TABLE clients (
  company_id  uuid        NOT NULL,
  client_id   uuid        NOT NULL,
  description text        NOT NULL CONSTRAINT clients_description_length CHECK (char_length(description) <= 100),
  created_at  timestamptz NOT NULL,
  created_by  text        NOT NULL CONSTRAINT clients_created_by_length CHECK (char_length(created_by) <= 254),
  revoked_at  timestamptz,
  tenant_id   uuid,
  subject     text        CONSTRAINT clients_subject_length CHECK (char_length(subject) BETWEEN 1 AND 200),
  audiences   text[]      CONSTRAINT clients_audiences_count CHECK (cardinality(audiences) BETWEEN 1 AND 5),
  CONSTRAINT clients_pkey PRIMARY KEY (company_id, client_id),
  CONSTRAINT clients_federation_is_whole CHECK (num_nulls(tenant_id, subject, audiences) IN (0, 3))
);

-- Whose client this is: all that can be known of a client before its company is, and the only way to that.
CREATE TABLE client_companies (
  client_id  uuid    NOT NULL CONSTRAINT client_companies_pkey PRIMARY KEY,
  company_id uuid    NOT NULL,
  is_revoked boolean NOT NULL DEFAULT false
);

CREATE TABLE client_secrets (
  company_id uuid        NOT NULL,
  secret_id  uuid        NOT NULL,
  client_id  uuid        NOT NULL,
  -- SHA-256. The secret has 256 random bits, so there is nothing to guess that a slow hash would slow down.
  digest     bytea       NOT NULL CONSTRAINT client_secrets_digest_length CHECK (octet_length(digest) = 32),
  hint       text        NOT NULL CONSTRAINT client_secrets_hint_length CHECK (char_length(hint) = 4),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT client_secrets_pkey PRIMARY KEY (company_id, secret_id),
  CONSTRAINT client_secrets_client_fkey FOREIGN KEY (company_id, client_id) REFERENCES clients (company_id, client_id),
  CONSTRAINT client_secrets_expire_after_creation CHECK (expires_at > created_at)
);
CREATE INDEX client_secrets_client_idx ON client_secrets (company_id, client_id);

-- A query that forgets its company finds nothing, also when the tables' owner asks.
ALTER TABLE clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE clients FORCE ROW LEVEL SECURITY;
CREATE POLICY clients_of_company ON clients
  USING (company_id = nullif(current_setting('timeclock.company_id', true), '')::uuid);
ALTER TABLE client_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE client_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY client_secrets_of_company ON client_secrets
  USING (company_id = nullif(current_setting('timeclock.company_id', true), '')::uuid);

-- When live tokens and secrets expire, for the gauges of what expires soon. Names no company, because operators count
-- all of them. One that was revoked or is being replaced is not in it.
CREATE TABLE expiries (
  credential_id uuid        NOT NULL CONSTRAINT expiries_pkey PRIMARY KEY,
  kind          text        NOT NULL CONSTRAINT expiries_kind CHECK (kind IN ('token', 'client_secret')),
  expires_at    timestamptz NOT NULL
);
CREATE INDEX expiries_expires_at_idx ON expiries (expires_at);
-- The owner sees every company's rows for this one statement.
ALTER TABLE tokens NO FORCE ROW LEVEL SECURITY;
INSERT INTO expiries (credential_id, kind, expires_at)
  SELECT token_id, 'token', expires_at FROM tokens WHERE token_id NOT IN (SELECT token_id FROM revocations);
ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
