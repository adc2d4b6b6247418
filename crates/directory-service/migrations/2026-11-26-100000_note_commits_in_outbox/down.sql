alter table outbox drop column committed_at;
