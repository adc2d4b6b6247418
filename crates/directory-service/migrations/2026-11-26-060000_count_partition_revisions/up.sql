-- Counts the changes of a partition: every tenure and every batch. A batch reads without locks and is written only where
-- the revision is still the one it read at.
alter table partitions add column revision bigint not null default 0;
