-- Of those removed: whoever had access before. Those who are deleted thirty days after they were disabled had none.
alter table brakes add column had_access bigint not null default 0;
