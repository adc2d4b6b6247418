-- Whom provisioning removed lately, and the mass removals that a human decides about (docs/adr/0023).

create table brakes (
    company_id uuid not null,
    -- Ordered by time.
    brake_id   uuid not null,
    state      text not null constraint brakes_state
                   check (state in ('on', 'undoing', 'undone', 'released', 'expired')),
    -- The first and the latest removal.
    began_at   timestamptz not null,
    last_at    timestamptz not null,
    -- Until when somebody may decide.
    ends_at    timestamptz not null,
    -- Who had access before.
    people     bigint not null,
    -- People removed; of them those brought back, those created anew meanwhile, and those to whom Entra gave access again.
    removed    bigint not null default 0,
    restored   bigint not null default 0,
    superseded bigint not null default 0,
    returned   bigint not null default 0,
    decided_at timestamptz,
    decided_by text,
    constraint brakes_pkey primary key (company_id, brake_id)
);
-- Those that are not decided, or not done: hardly ever any.
create index brakes_open on brakes (company_id, brake_id) where state in ('on', 'undoing');

-- One row for each person whose access provisioning ended, until that is old, or decided.
create table removals (
    company_id       uuid not null,
    user_id          uuid not null,
    removed_at       timestamptz not null,
    -- Null for a removal that is no part of a mass removal.
    brake_id         uuid,
    user_name        text not null,
    display_name     text,
    was_active       boolean not null,
    -- What a deleted user was; null for one who is disabled.
    version          bigint,
    created_at       timestamptz,
    last_modified_at timestamptz,
    attributes       text,
    group_ids        uuid[],
    constraint removals_pkey primary key (company_id, user_id)
);
create index removals_recent on removals (company_id, removed_at) where brake_id is null;
create index removals_of_brake on removals (company_id, brake_id, user_id) where brake_id is not null;

-- When a removal is a mass removal, where a company has said so, and how many people had access when last counted.
create table brake_rules (
    company_id uuid not null,
    more_than  bigint,
    per_cent   bigint,
    people     bigint,
    counted_at timestamptz,
    constraint brake_rules_pkey primary key (company_id)
);

-- When a company's removals are to be looked at next: row level security hides them from who looks for them. Null where
-- there are none.
alter table companies add column removals_due_at timestamptz;

alter table brakes enable row level security;
alter table brakes force row level security;
create policy brakes_company on brakes
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table removals enable row level security;
alter table removals force row level security;
create policy removals_company on removals
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table brake_rules enable row level security;
alter table brake_rules force row level security;
create policy brake_rules_company on brake_rules
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));
