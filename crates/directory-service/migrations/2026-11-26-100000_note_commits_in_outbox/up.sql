-- So that operators, and the metrics, can tell since when facts wait. Nobody writes it: the default is the commit's own
-- beginning, and code that does not know the column goes on as before.
alter table outbox add column committed_at timestamptz not null default now();
