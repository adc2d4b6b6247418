alter table companies drop column removals_due_at;
drop table brake_rules, removals, brakes;
