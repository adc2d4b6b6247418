-- Keys that sign tokens. Several may verify; the newest that is not retired signs.
CREATE TABLE signing_keys (
  kid                text        NOT NULL CONSTRAINT signing_keys_pkey PRIMARY KEY,
  public_key         bytea       NOT NULL CONSTRAINT signing_keys_public_key_length CHECK (octet_length(public_key) = 32),
  -- Sealed by the key in the service's settings; worthless without it.
  sealed_private_key bytea       NOT NULL,
  created_at         timestamptz NOT NULL,
  retired_at         timestamptz
);

-- What is needed to sign a token again. The token itself is never stored.
CREATE TABLE tokens (
  company_id  uuid        NOT NULL,
  token_id    uuid        NOT NULL,
  kid         text        NOT NULL CONSTRAINT tokens_kid_fkey REFERENCES signing_keys (kid),
  issuer      text        NOT NULL,
  description text        NOT NULL CONSTRAINT tokens_description_length CHECK (char_length(description) <= 100),
  issued_at   timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT tokens_pkey PRIMARY KEY (company_id, token_id),
  CONSTRAINT tokens_expire_after_issue CHECK (expires_at > issued_at)
);

-- Tokens that end before they expire. Names no company, because it is published as a whole.
CREATE TABLE revocations (
  token_id   uuid        NOT NULL CONSTRAINT revocations_pkey PRIMARY KEY,
  ends_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX revocations_expires_at_idx ON revocations (expires_at);

-- What happened to a company's tokens.
CREATE TABLE token_events (
  company_id  uuid        NOT NULL,
  event_id    uuid        NOT NULL,
  token_id    uuid        NOT NULL,
  kind        text        NOT NULL CONSTRAINT token_events_kind CHECK (kind IN ('issued', 'revealed', 'retiring', 'revoked')),
  occurred_at timestamptz NOT NULL,
  CONSTRAINT token_events_pkey PRIMARY KEY (company_id, event_id)
);

-- A query that forgets its company finds nothing, also when the tables' owner asks.
ALTER TABLE tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tokens_of_company ON tokens
  USING (company_id = nullif(current_setting('timeclock.company_id', true), '')::uuid);
ALTER TABLE token_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_events FORCE ROW LEVEL SECURITY;
CREATE POLICY token_events_of_company ON token_events
  USING (company_id = nullif(current_setting('timeclock.company_id', true), '')::uuid);
