-- What an administrator asks of the log: whom it was about by name, what changed from what to what, and what gateways
-- answered without asking the directory (those lines have a status).
alter table provisioning_log
    add column target_name     text constraint provisioning_log_target_name_length
                                   check (char_length(target_name) <= 200),
    -- Folded by scim_protocol::fold and cut, to be compared by its beginning.
    add column target_key      text collate "C" constraint provisioning_log_target_key_length
                                   check (char_length(target_key) <= 200),
    -- One JSON list, see `apply::changes`; null where nothing changed.
    add column changes         text,
    add column members_added   integer,
    add column members_removed integer,
    add column status          smallint,
    add column address         text,
    -- Written no more: `changes` names the attributes too. To be dropped once nobody writes it.
    alter column changed_attributes set default '{}',
    drop constraint provisioning_log_outcome,
    add constraint provisioning_log_outcome check (outcome in ('created', 'updated', 'unchanged', 'deleted', 'refused',
        'found', 'nothing_found', 'failed', 'unauthenticated'));

-- One for each way to ask; every change pays for each of them. Request ids are ordered by time.
create index provisioning_log_user on provisioning_log (company_id, user_id, request_id) where user_id is not null;
create index provisioning_log_group on provisioning_log (company_id, group_id, request_id) where group_id is not null;
create index provisioning_log_target on provisioning_log (company_id, target_key, request_id)
    where target_key is not null;
-- The condition always holds. It keeps the index from looking like one to find a request by.
create index provisioning_log_outcomes on provisioning_log (company_id, verb, outcome, request_id)
    where verb is not null;
