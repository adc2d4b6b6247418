alter table credential_uses drop column last_worked_at;
