-- Breaks: 0.0.0 knew no single sign-on, and no release has it yet; code from before goes on with these tables all the same.
-- Blocks: for the same reason the tables that get an index are empty or small.

-- SHA-256 of the network that somebody asked from, in hexadecimal digits, so that one network cannot take everybody's room.
ALTER TABLE sign_in_requests ADD COLUMN network_key text NOT NULL DEFAULT '';
CREATE INDEX sign_in_requests_network_idx ON sign_in_requests (company_id, purpose, network_key);

-- Which set-up was tested, by the time at which it was set, and what the person whom it led to may do. Null and empty from
-- code that does not say: such a test allows nothing.
ALTER TABLE sign_in_tests ADD COLUMN set_up_at timestamptz;
ALTER TABLE sign_in_tests ADD COLUMN role text NOT NULL DEFAULT '';

-- When the identity provider's session ends; null when it does not say.
ALTER TABLE person_sessions ADD COLUMN ends_at timestamptz;

-- An identity provider belongs to whoever signs in with it, and not to whoever has only written it down.
ALTER TABLE single_sign_on DROP CONSTRAINT single_sign_on_issuer_key;
CREATE UNIQUE INDEX single_sign_on_issuer_idx ON single_sign_on (issuer) WHERE way <> 'password';

-- Domains of which an operator has made sure that they are the company's.
CREATE TABLE vouched_domains (
  company_id uuid        NOT NULL,
  domain     text        NOT NULL CONSTRAINT vouched_domains_domain_length CHECK (char_length(domain) <= 253),
  vouched_at timestamptz NOT NULL,
  CONSTRAINT vouched_domains_pkey PRIMARY KEY (company_id, domain)
);
ALTER TABLE vouched_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE vouched_domains FORCE ROW LEVEL SECURITY;
CREATE POLICY vouched_domains_of_company ON vouched_domains USING (company_id = acting_company());
