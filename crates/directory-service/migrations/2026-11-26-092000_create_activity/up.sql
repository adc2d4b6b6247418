-- What a company's calls amount to, counted by one reader of the stream CALLS at a time.

-- How far the stream is counted; its row lock makes two readers take turns.
create table calls_reader (
    reader                    smallint primary key,
    -- Which incarnation of the stream the sequence counts in; a stream that was lost and made anew starts from 1.
    stream_created_unix_nanos bigint not null default 0,
    applied_sequence          bigint not null default 0
);
insert into calls_reader (reader) values (1);

-- One row for each company that was ever called for.
create table connections (
    company_id       uuid not null,
    -- The last call that was let in.
    last_call_at     timestamptz,
    -- Calls with a credential that has ended, since the last that was let in.
    refused_since    timestamptz,
    refused_last_at  timestamptz,
    refused_calls    bigint not null default 0,
    -- The last test that came while no cycle was running.
    probed_at        timestamptz,
    first_test_at    timestamptz,
    first_user_at    timestamptz,
    first_group_at   timestamptz,
    -- The first cycle that created something.
    initial_cycle_id uuid,
    users            bigint,
    active_users     bigint,
    groups           bigint,
    counted_at       timestamptz,
    constraint connections_pkey primary key (company_id)
);

-- Runs of calls without a long pause. The ids are ordered by time.
create table cycles (
    company_id     uuid not null,
    cycle_id       uuid not null,
    started_at     timestamptz not null,
    last_call_at   timestamptz not null,
    calls          bigint not null,
    checked        bigint not null,
    created        bigint not null,
    updated        bigint not null,
    unchanged      bigint not null,
    deactivated    bigint not null,
    reactivated    bigint not null,
    deleted        bigint not null,
    refused        bigint not null,
    failed         bigint not null,
    -- Of those refused and failed: calls that asked for a change.
    failed_changes bigint not null,
    -- A JSON list of what stood in the way, see `activity::count`.
    causes         text not null,
    constraint cycles_pkey primary key (company_id, cycle_id)
);

-- Calls by half hours, of the last day.
create table call_slots (
    company_id uuid not null,
    begins_at  timestamptz not null,
    calls      bigint not null,
    failures   bigint not null,
    constraint call_slots_pkey primary key (company_id, begins_at)
);

create table credential_uses (
    company_id    uuid not null,
    credential_id uuid not null,
    first_used_at timestamptz,
    last_used_at  timestamptz,
    last_address  text,
    calls         bigint not null,
    refused_calls bigint not null,
    constraint credential_uses_pkey primary key (company_id, credential_id)
);

-- Whose health there is to list: row level security hides the others' tables from everybody.
alter table companies add column connected_at timestamptz;
create index companies_connected on companies (company_id) where connected_at is not null;

alter table connections enable row level security;
alter table connections force row level security;
create policy connections_company on connections
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table cycles enable row level security;
alter table cycles force row level security;
create policy cycles_company on cycles
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table call_slots enable row level security;
alter table call_slots force row level security;
create policy call_slots_company on call_slots
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table credential_uses enable row level security;
alter table credential_uses force row level security;
create policy credential_uses_company on credential_uses
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));
