-- People look for users by surname, employee number, any word of the displayName, and without accents.

-- The keys of the user, one a line, as `search_keys::of` made them; null for a user whom nobody has stored since, to whom
-- `activity::upkeep` comes.
alter table users add column search_keys text;

-- The same keys, to be found by their beginnings.
create table user_search_keys (
    company_id uuid not null,
    key        text collate "C" not null,
    user_id    uuid not null,
    constraint user_search_keys_pkey primary key (company_id, key, user_id)
);
alter table user_search_keys enable row level security;
alter table user_search_keys force row level security;
create policy user_search_keys_company on user_search_keys
    using (company_id = any ((select nullif(current_setting('timeclock.companies', true), ''))::uuid[]));

-- The keys are names of people, so they go with the user whoever deletes it: also code that does not know of them.
create function forget_search_keys() returns trigger language plpgsql set search_path from current as $$
begin
    delete from user_search_keys where ctid = any (array(
        select k.ctid from gone g cross join string_to_table(g.search_keys, E'\n') as w(key) cross join lateral (
            select k.ctid from user_search_keys k
            where k.company_id = g.company_id and k.key = w.key and k.user_id = g.user_id offset 0) k));
    return null;
end $$;
create trigger users_forget_search_keys after delete on users
    referencing old table as gone for each statement execute function forget_search_keys();
