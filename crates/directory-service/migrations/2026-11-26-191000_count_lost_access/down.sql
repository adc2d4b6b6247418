alter table brakes drop column had_access;
