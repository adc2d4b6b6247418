-- When somebody lost access, and what ended with it. Written by whoever follows the directory's facts, once for each request.
CREATE TABLE access_ends (
  company_id     uuid        NOT NULL,
  -- The SCIM request that took access away; one request takes it from one person.
  request_id     uuid        NOT NULL,
  user_id        uuid        NOT NULL,
  cause          text        NOT NULL CONSTRAINT access_ends_cause CHECK (cause IN ('deactivated', 'deleted')),
  -- When the request arrived at the gateway; null from directories that do not say.
  requested_at   timestamptz,
  enforced_at    timestamptz NOT NULL,
  sessions_ended integer     NOT NULL,
  CONSTRAINT access_ends_pkey PRIMARY KEY (company_id, request_id)
);
CREATE INDEX access_ends_enforced_at_idx ON access_ends (company_id, enforced_at);
ALTER TABLE access_ends ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_ends FORCE ROW LEVEL SECURITY;
CREATE POLICY access_ends_of_company ON access_ends USING (company_id = acting_company());

-- The directory's present history, as far as we know. One row, once we know any.
CREATE TABLE directory_history (
  is_only    boolean NOT NULL CONSTRAINT directory_history_pkey PRIMARY KEY
    CONSTRAINT directory_history_is_only CHECK (is_only),
  history_id uuid    NOT NULL
);

-- Which history of the directory counted the version beside it: after a restore it counts anew. Null from before we knew any.
ALTER TABLE person_sessions ADD COLUMN history_id uuid;
ALTER TABLE session_floors ADD COLUMN history_id uuid;
