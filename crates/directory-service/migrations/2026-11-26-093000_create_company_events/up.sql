-- Who did what to a company's settings (timeclock.audit.v1.Event). Append-only: the service may add and read, no more.
create table company_events (
    company_id    uuid not null,
    event_id      uuid not null,
    occurred_at   timestamptz not null,
    -- As timeclock.audit.v1.Actor numbers its kinds; null where nobody was named.
    actor_kind    smallint,
    actor_name    text,
    actor_address text,
    act           text not null,
    target        text not null,
    note          text not null,
    constraint company_events_pkey primary key (company_id, event_id)
);
revoke update, delete, truncate on company_events from directory_service;

alter table company_events enable row level security;
alter table company_events force row level security;
create policy company_events_company on company_events
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));
