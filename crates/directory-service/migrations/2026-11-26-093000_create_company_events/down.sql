drop table company_events;
