-- Run by the owner role with the schema `directory` first in its search_path; the service role may only read and write
-- rows (deploy/postgres/init.sql).

create table companies (
    company_id uuid primary key,
    name       text not null constraint companies_name_length check (char_length(name) between 1 and 200),
    created_at timestamptz not null
);

-- What Entra filters by has a column and an index. The resource itself is only stored and returned, as text: jsonb
-- would cost nearly twice the CPU per row and nothing reads inside it on the common paths.
create table users (
    company_id       uuid not null,
    user_id          uuid not null,
    -- Folded by scim_protocol::fold. "C" so that an index compares bytes and agrees with Rust.
    user_name_key    text collate "C" not null,
    external_id      text collate "C",
    -- The first e-mail of type work, folded. Entra manages one per type; others set the flag below.
    work_email_key   text collate "C",
    many_work_emails boolean not null,
    active           boolean not null,
    -- The manager's id when it has the form of one of ours; whether that user exists is asked when it is shown.
    manager_id       uuid,
    display_name     text,
    version          bigint not null,
    created_at       timestamptz not null,
    last_modified_at timestamptz not null,
    attributes       text not null,
    constraint users_pkey primary key (company_id, user_id),
    constraint users_company_id_user_name_key unique (company_id, user_name_key)
);
-- Not unique: a re-hired person may bring an externalId back while the old record still has it.
create index users_external_id on users (company_id, external_id) where external_id is not null;
create index users_work_email on users (company_id, work_email_key) where work_email_key is not null;
-- Empty for nearly every company; lets the filter on work e-mails stay exact without scanning.
create index users_many_work_emails on users (company_id) where many_work_emails;

-- One line per request, written in the transaction that applied it; also the recorded outcome that is repeated when a
-- request is delivered again. Request ids are ordered by time, and so is the primary key.
create table provisioning_log (
    company_id         uuid not null,
    request_id         uuid not null,
    user_id            uuid,
    token_id           uuid,
    verb               text not null,
    accepted_at        timestamptz not null,
    applied_at         timestamptz not null,
    outcome            text not null constraint provisioning_log_outcome
                           check (outcome in ('created', 'updated', 'unchanged', 'deleted', 'refused')),
    -- timeclock.provisioning.v1.Refused, when refused.
    refusal            bytea,
    changed_attributes text[] not null,
    constraint provisioning_log_pkey primary key (company_id, request_id)
);

-- Who may apply a partition's requests (epoch) and how far it has come (applied_sequence), read and written in every
-- batch's own transaction: the row lock makes two owners take turns and the epoch turns the older one away.
create table partitions (
    partition         smallint primary key,
    epoch             bigint not null default 0,
    -- Which incarnation of the stream the sequence counts in; a stream that was lost and made anew starts from 1.
    stream_created_unix_nanos bigint,
    applied_sequence  bigint not null default 0
);
insert into partitions (partition) select generate_series(0, 15);

-- Facts not yet announced: one row per commit (timeclock.directory.v1.FactBatch), in the order of the commits.
create table outbox (
    partition smallint not null,
    outbox_id bigint generated always as identity,
    facts     bytea not null,
    constraint outbox_pkey primary key (partition, outbox_id)
);
-- A row lives for a moment; compressing it would be more than a quarter of what Postgres does for a batch.
alter table outbox alter column facts set storage external;

-- Requests that can never be applied, kept whole for an operator to look at.
create table dead_letters (
    dead_letter_id  bigint generated always as identity primary key,
    partition       smallint not null,
    stream_sequence bigint not null,
    subject         text not null,
    reason          text not null,
    received_at     timestamptz not null,
    payload         bytea not null
);

-- Isolation that no forgotten WHERE can undo: a transaction sees only the companies that it names. Forced, so that it
-- binds the owner too. The subselect is evaluated once per statement, not once per row.
alter table users enable row level security;
alter table users force row level security;
create policy users_company on users
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

alter table provisioning_log enable row level security;
alter table provisioning_log force row level security;
create policy provisioning_log_company on provisioning_log
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));
