alter table brakes drop column decided_by_kind;
