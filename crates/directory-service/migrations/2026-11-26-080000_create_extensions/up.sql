-- Schemas that a company declares for its users, as documents in the form of /Schemas.
create table extensions (
    company_id  uuid not null,
    -- The URN in lower case: it is compared so.
    urn_key     text collate "C" not null,
    document    text not null,
    declared_at timestamptz not null,
    constraint extensions_pkey primary key (company_id, urn_key)
);

alter table extensions enable row level security;
alter table extensions force row level security;
create policy extensions_company on extensions
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

-- Whose documents there are to publish: row level security hides the others' table from everybody.
alter table companies add column has_extensions boolean not null default false;
