create index concurrently companies_removals_due on companies (removals_due_at) where removals_due_at is not null;
