-- Of those removed: whoever was deleted for good at once, because as many people of the company were kept as may be.
alter table brakes add column not_held bigint not null default 0;
