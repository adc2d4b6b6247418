-- What somebody is who decided, as in company_events: an administrator, or our support.
alter table brakes add column decided_by_kind smallint;
