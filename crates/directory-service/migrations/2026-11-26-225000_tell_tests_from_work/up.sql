-- The last call that was more than a test of the connection.
alter table credential_uses add column last_worked_at timestamptz;
