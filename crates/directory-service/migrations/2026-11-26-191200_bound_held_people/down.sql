alter table brakes drop column not_held;
