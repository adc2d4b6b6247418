-- People look for users by the beginning of a displayName too, and for those who are disabled.
alter table users
    -- Folded by scim_protocol::fold and cut.
    add column display_name_key text collate "C";

-- Folded properly by the next change of the user; until then beyond ASCII only as it is spelt.
alter table users no force row level security;
update users set display_name_key = left(lower(display_name), 200) where display_name is not null;
alter table users force row level security;

create index users_display_name on users (company_id, display_name_key) where display_name_key is not null;
-- Empty for a new company, and a change that does not touch access leaves it alone.
create index users_inactive on users (company_id, user_name_key) where not active;
