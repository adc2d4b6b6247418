-- People who sign in at their company's identity provider, beside administrators who have a password here.

-- Keeps a password where everybody else signs in at the identity provider, so that somebody gets in when that is broken.
ALTER TABLE administrators ADD COLUMN is_break_glass boolean NOT NULL DEFAULT false;

-- How a company's people sign in. A company without a row has passwords alone.
CREATE TABLE single_sign_on (
  company_id         uuid        NOT NULL,
  way                text        NOT NULL CONSTRAINT single_sign_on_way CHECK (way IN ('password', 'saml', 'oidc')),
  -- Whose assertions are taken. One identity provider speaks for one company, so that its word leads nowhere else.
  issuer             text        NOT NULL CONSTRAINT single_sign_on_issuer_key UNIQUE,
  -- The identity provider's metadata as it was read: its addresses and certificates.
  metadata           text        NOT NULL CONSTRAINT single_sign_on_metadata_length CHECK (char_length(metadata) <= 524288),
  -- Where it is read again; empty when it was pasted.
  metadata_url       text        NOT NULL CONSTRAINT single_sign_on_metadata_url_length CHECK (char_length(metadata_url) <= 2000),
  match_by           text        NOT NULL CONSTRAINT single_sign_on_match_by CHECK (match_by IN ('external_id', 'user_name')),
  allows_unsolicited boolean     NOT NULL,
  is_only            boolean     NOT NULL,
  -- When something was set that a test has to try anew.
  changed_at         timestamptz NOT NULL,
  refreshed_at       timestamptz NOT NULL,
  -- Why the metadata could not be read last time; empty when it could.
  refresh_problem    text        NOT NULL,
  CONSTRAINT single_sign_on_pkey PRIMARY KEY (company_id)
);

-- Which company a user name's domain leads to.
CREATE TABLE sign_in_domains (
  company_id uuid NOT NULL,
  domain     text NOT NULL CONSTRAINT sign_in_domains_domain_key UNIQUE,
  CONSTRAINT sign_in_domains_pkey PRIMARY KEY (company_id, domain)
);

-- Sign-ins that were sent to the identity provider and have not come back.
CREATE TABLE sign_in_requests (
  company_id  uuid        NOT NULL,
  request_id  uuid        NOT NULL,
  -- SHA-256 of what goes there and back, in hexadecimal digits.
  request_key text        NOT NULL CONSTRAINT sign_in_requests_request_key_key UNIQUE,
  -- SHA-256 of the cookie of the browser that asked: another one's answer is not taken.
  browser_key text        NOT NULL,
  purpose     text        NOT NULL CONSTRAINT sign_in_requests_purpose CHECK (purpose IN ('sign_in', 'confirm', 'test')),
  -- Who tests; empty for all others.
  tester      text        NOT NULL,
  return_to   text        NOT NULL CONSTRAINT sign_in_requests_return_to_length CHECK (char_length(return_to) <= 2000),
  expires_at  timestamptz NOT NULL,
  CONSTRAINT sign_in_requests_pkey PRIMARY KEY (company_id, request_id)
);
CREATE INDEX sign_in_requests_expires_at_idx ON sign_in_requests (company_id, expires_at);

-- Assertions that were taken and could be sent once more.
CREATE TABLE accepted_assertions (
  company_id    uuid        NOT NULL,
  -- SHA-256 of issuer and id.
  assertion_key text        NOT NULL,
  good_until    timestamptz NOT NULL,
  CONSTRAINT accepted_assertions_pkey PRIMARY KEY (company_id, assertion_key)
);
CREATE INDEX accepted_assertions_good_until_idx ON accepted_assertions (company_id, good_until);

-- What an administrator's test has received, for a short time.
CREATE TABLE sign_in_tests (
  company_id  uuid        NOT NULL,
  test_id     uuid        NOT NULL,
  tester      text        NOT NULL,
  made_at     timestamptz NOT NULL,
  is_accepted boolean     NOT NULL,
  -- What came and what became of it, as JSON.
  report      text        NOT NULL CONSTRAINT sign_in_tests_report_length CHECK (char_length(report) <= 100000),
  CONSTRAINT sign_in_tests_pkey PRIMARY KEY (company_id, test_id)
);

-- Browsers in which provisioned people are signed in. There is no account beside it: what the directory said of somebody
-- when they signed in is here, and ends with the session.
CREATE TABLE person_sessions (
  company_id    uuid        NOT NULL,
  session_id    uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  -- Of the user, as the directory knew it: an end that came later ends this session.
  user_version  bigint      NOT NULL,
  user_name     text        NOT NULL,
  display_name  text        NOT NULL,
  role          text        NOT NULL CONSTRAINT person_sessions_role CHECK (role IN ('administrator', 'auditor', 'member')),
  way           text        NOT NULL CONSTRAINT person_sessions_way CHECK (way IN ('saml', 'oidc')),
  -- What the identity provider calls them and their session there, to sign out in both places.
  subject        text        NOT NULL,
  subject_format text       NOT NULL,
  session_index text        NOT NULL,
  session_key   text        NOT NULL CONSTRAINT person_sessions_session_key_key UNIQUE,
  created_at    timestamptz NOT NULL,
  last_seen_at  timestamptz NOT NULL,
  -- When they last had to prove to the identity provider who they are; null when it may have known them from before.
  confirmed_at  timestamptz,
  address       text        NOT NULL CONSTRAINT person_sessions_address_length CHECK (char_length(address) <= 45),
  browser       text        NOT NULL CONSTRAINT person_sessions_browser_length CHECK (char_length(browser) <= 200),
  CONSTRAINT person_sessions_pkey PRIMARY KEY (company_id, session_id)
);
CREATE INDEX person_sessions_user_idx ON person_sessions (company_id, user_id);

-- Below which version of a user there may be no session, because their access ended with it.
CREATE TABLE session_floors (
  company_id uuid   NOT NULL,
  user_id    uuid   NOT NULL,
  version    bigint NOT NULL,
  CONSTRAINT session_floors_pkey PRIMARY KEY (company_id, user_id)
);

-- A query that forgets its company finds nothing, also when the tables' owner asks.
ALTER TABLE sign_in_tests ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_tests FORCE ROW LEVEL SECURITY;
CREATE POLICY sign_in_tests_of_company ON sign_in_tests USING (company_id = acting_company());
ALTER TABLE accepted_assertions ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_assertions FORCE ROW LEVEL SECURITY;
CREATE POLICY accepted_assertions_of_company ON accepted_assertions USING (company_id = acting_company());
ALTER TABLE session_floors ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_floors FORCE ROW LEVEL SECURITY;
CREATE POLICY session_floors_of_company ON session_floors USING (company_id = acting_company());

-- These four are also found by their key, to read.
ALTER TABLE single_sign_on ENABLE ROW LEVEL SECURITY;
ALTER TABLE single_sign_on FORCE ROW LEVEL SECURITY;
CREATE POLICY single_sign_on_of_company ON single_sign_on USING (company_id = acting_company());
CREATE POLICY single_sign_on_by_key ON single_sign_on FOR SELECT USING (issuer = presented_key());
ALTER TABLE sign_in_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_domains FORCE ROW LEVEL SECURITY;
CREATE POLICY sign_in_domains_of_company ON sign_in_domains USING (company_id = acting_company());
CREATE POLICY sign_in_domains_by_key ON sign_in_domains FOR SELECT USING (domain = presented_key());
ALTER TABLE sign_in_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY sign_in_requests_of_company ON sign_in_requests USING (company_id = acting_company());
CREATE POLICY sign_in_requests_by_key ON sign_in_requests FOR SELECT USING (request_key = presented_key());
ALTER TABLE person_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY person_sessions_of_company ON person_sessions USING (company_id = acting_company());
CREATE POLICY person_sessions_by_key ON person_sessions FOR SELECT USING (session_key = presented_key());
