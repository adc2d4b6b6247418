drop index companies_connected;
alter table companies drop column connected_at;
drop table credential_uses, call_slots, cycles, connections, calls_reader;
