-- A group without its members, which are rows of their own: adding or removing some costs the same whatever its size.
create table groups (
    company_id       uuid not null,
    group_id         uuid not null,
    -- Folded by scim_protocol::fold.
    display_name_key text collate "C" not null,
    external_id      text collate "C",
    display_name     text not null,
    -- Counts the changes of attributes and of members.
    version          bigint not null,
    created_at       timestamptz not null,
    last_modified_at timestamptz not null,
    attributes       text not null,
    constraint groups_pkey primary key (company_id, group_id),
    constraint groups_company_id_display_name_key unique (company_id, display_name_key)
) with (fillfactor = 85);
create index groups_external_id on groups (company_id, external_id) where external_id is not null;

create table memberships (
    company_id uuid not null,
    group_id   uuid not null,
    -- A user's id, or another group's.
    member_id  uuid not null,
    is_group   boolean not null,
    constraint memberships_pkey primary key (company_id, group_id, member_id)
);
create index memberships_member on memberships (company_id, member_id);

-- Which group a request was about; the column of the user is empty then.
alter table provisioning_log add column group_id uuid;

alter table groups enable row level security;
alter table groups force row level security;
create policy groups_company on groups
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table memberships enable row level security;
alter table memberships force row level security;
create policy memberships_company on memberships
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));
