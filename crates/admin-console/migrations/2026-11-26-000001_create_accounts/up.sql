-- Run by the owner role with the schema `console` first in its search_path.
--
-- A row belongs to a company and is seen by whoever acts for that company (timeclock.company_id). Signing in, a cookie
-- and an invitation come before the company is known; they see just the row whose key they present (timeclock.key),
-- which nobody can guess but an e-mail address, and its row says nothing but who must prove to know the password.
CREATE FUNCTION acting_company() RETURNS uuid LANGUAGE sql STABLE
  RETURN nullif(current_setting('timeclock.company_id', true), '')::uuid;
CREATE FUNCTION presented_key() RETURNS text LANGUAGE sql STABLE
  RETURN nullif(current_setting('timeclock.key', true), '');

-- Who may sign in to a company's pages.
CREATE TABLE administrators (
  company_id        uuid        NOT NULL,
  administrator_id  uuid        NOT NULL,
  email             text        NOT NULL CONSTRAINT administrators_email_length CHECK (char_length(email) BETWEEN 3 AND 254),
  -- Empty until the invitation is accepted.
  name              text        NOT NULL CONSTRAINT administrators_name_length CHECK (char_length(name) <= 100),
  role              text        NOT NULL CONSTRAINT administrators_role CHECK (role IN ('administrator', 'auditor')),
  is_active         boolean     NOT NULL,
  -- BCP 47; empty for what the browser asks for.
  language          text        NOT NULL CONSTRAINT administrators_language CHECK (char_length(language) <= 10),
  wants_notices     boolean     NOT NULL,
  created_at        timestamptz NOT NULL,
  last_signed_in_at timestamptz,
  CONSTRAINT administrators_pkey PRIMARY KEY (company_id, administrator_id)
);

-- What proves to be an administrator. Apart from them, because it is found by e-mail address before the company is known.
CREATE TABLE credentials (
  company_id       uuid NOT NULL,
  administrator_id uuid NOT NULL,
  -- The e-mail address in one spelling: nobody signs in to two companies with one address.
  email_key        text NOT NULL CONSTRAINT credentials_email_key_key UNIQUE,
  -- A PHC string; null until the invitation is accepted.
  password_hash    text,
  CONSTRAINT credentials_pkey PRIMARY KEY (company_id, administrator_id),
  CONSTRAINT credentials_administrator_fkey FOREIGN KEY (company_id, administrator_id)
    REFERENCES administrators ON DELETE CASCADE
);

-- Browsers that are signed in.
CREATE TABLE sessions (
  company_id        uuid        NOT NULL,
  session_id        uuid        NOT NULL,
  administrator_id  uuid        NOT NULL,
  -- SHA-256 of the cookie, in hexadecimal digits; the cookie itself is nowhere.
  session_key       text        NOT NULL CONSTRAINT sessions_session_key_key UNIQUE,
  created_at        timestamptz NOT NULL,
  last_seen_at      timestamptz NOT NULL,
  password_given_at timestamptz NOT NULL,
  address           text        NOT NULL CONSTRAINT sessions_address_length CHECK (char_length(address) <= 45),
  browser           text        NOT NULL CONSTRAINT sessions_browser_length CHECK (char_length(browser) <= 200),
  CONSTRAINT sessions_pkey PRIMARY KEY (company_id, session_id),
  CONSTRAINT sessions_administrator_fkey FOREIGN KEY (company_id, administrator_id)
    REFERENCES administrators ON DELETE CASCADE
);
CREATE INDEX sessions_administrator_idx ON sessions (company_id, administrator_id);

-- One for each administrator who has not accepted yet; gone when it is used.
CREATE TABLE invitations (
  company_id       uuid        NOT NULL,
  administrator_id uuid        NOT NULL,
  -- SHA-256 of the link's token, in hexadecimal digits.
  invitation_key   text        NOT NULL CONSTRAINT invitations_invitation_key_key UNIQUE,
  expires_at       timestamptz NOT NULL,
  CONSTRAINT invitations_pkey PRIMARY KEY (company_id, administrator_id),
  CONSTRAINT invitations_administrator_fkey FOREIGN KEY (company_id, administrator_id)
    REFERENCES administrators ON DELETE CASCADE
);

-- Which notices have been sent, so that each is sent once.
CREATE TABLE notices (
  company_id uuid        NOT NULL,
  kind       text        NOT NULL,
  -- What it is about: the same thing again has the same key.
  key        text        NOT NULL CONSTRAINT notices_key_length CHECK (char_length(key) <= 200),
  claimed_at timestamptz NOT NULL,
  CONSTRAINT notices_pkey PRIMARY KEY (company_id, kind, key)
);

-- What was done in the console, by whom. Never changed, never deleted.
CREATE TABLE audit_events (
  company_id    uuid        NOT NULL,
  event_id      uuid        NOT NULL,
  occurred_at   timestamptz NOT NULL,
  actor_kind    text        NOT NULL CONSTRAINT audit_events_actor_kind CHECK (actor_kind IN ('administrator', 'operator', 'system')),
  actor_name    text        NOT NULL,
  actor_address text        NOT NULL,
  act           text        NOT NULL,
  target        text        NOT NULL,
  note          text        NOT NULL,
  CONSTRAINT audit_events_pkey PRIMARY KEY (company_id, event_id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM console_service;

-- Attempts to sign in that failed or are under way, by account and by address. Names no company, because an address has
-- none and an account may not exist.
CREATE TABLE attempts (
  -- SHA-256 of what is throttled.
  attempt_key  bytea       NOT NULL CONSTRAINT attempts_pkey PRIMARY KEY,
  failures     integer     NOT NULL,
  attempted_at timestamptz NOT NULL,
  retry_at     timestamptz NOT NULL
);
CREATE INDEX attempts_attempted_at_idx ON attempts (attempted_at);

-- A query that forgets its company finds nothing, also when the tables' owner asks.
ALTER TABLE administrators ENABLE ROW LEVEL SECURITY;
ALTER TABLE administrators FORCE ROW LEVEL SECURITY;
CREATE POLICY administrators_of_company ON administrators USING (company_id = acting_company());
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE notices FORCE ROW LEVEL SECURITY;
CREATE POLICY notices_of_company ON notices USING (company_id = acting_company());
ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_events_of_company ON audit_events USING (company_id = acting_company());

-- These three are also found by their key, to read.
ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY credentials_of_company ON credentials USING (company_id = acting_company());
CREATE POLICY credentials_by_key ON credentials FOR SELECT USING (email_key = presented_key());
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY sessions_of_company ON sessions USING (company_id = acting_company());
CREATE POLICY sessions_by_key ON sessions FOR SELECT USING (session_key = presented_key());
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY invitations_of_company ON invitations USING (company_id = acting_company());
CREATE POLICY invitations_by_key ON invitations FOR SELECT USING (invitation_key = presented_key());
