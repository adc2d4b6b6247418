DROP TABLE expiries, client_secrets, client_companies, clients;
-- The owner sees every company's rows for this one statement.
ALTER TABLE token_events NO FORCE ROW LEVEL SECURITY;
DELETE FROM token_events WHERE act NOT IN ('token.issued', 'token.revealed', 'token.retiring', 'token.revoked');
ALTER TABLE token_events FORCE ROW LEVEL SECURITY;
ALTER TABLE token_events
  DROP CONSTRAINT token_events_target_length,
  DROP COLUMN note,
  DROP COLUMN actor_address,
  DROP COLUMN actor_name,
  DROP COLUMN actor_kind;
ALTER TABLE token_events RENAME COLUMN target TO token_id;
ALTER TABLE token_events ALTER COLUMN token_id TYPE uuid USING token_id::uuid;
ALTER TABLE token_events RENAME COLUMN act TO kind;
ALTER TABLE token_events ALTER COLUMN kind TYPE text USING replace(kind, 'token.', '');
ALTER TABLE token_events
  ADD CONSTRAINT token_events_kind CHECK (kind IN ('issued', 'revealed', 'retiring', 'revoked'));
GRANT UPDATE, DELETE ON token_events TO token_service;
ALTER TABLE tokens DROP COLUMN created_by;
