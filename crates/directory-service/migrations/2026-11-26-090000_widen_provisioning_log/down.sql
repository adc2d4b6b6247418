drop index provisioning_log_user, provisioning_log_group, provisioning_log_target, provisioning_log_outcomes;
alter table provisioning_log no force row level security;
delete from provisioning_log where outcome in ('found', 'nothing_found', 'failed', 'unauthenticated');
alter table provisioning_log force row level security;
alter table provisioning_log
    drop column target_name,
    drop column target_key,
    drop column changes,
    drop column members_added,
    drop column members_removed,
    drop column status,
    drop column address,
    alter column changed_attributes drop default,
    drop constraint provisioning_log_outcome,
    add constraint provisioning_log_outcome check (outcome in ('created', 'updated', 'unchanged', 'deleted', 'refused'));
