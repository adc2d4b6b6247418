alter table provisioning_log drop column group_id;
drop table memberships;
drop table groups;
