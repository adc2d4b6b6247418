drop index users_display_name, users_inactive;
alter table users drop column display_name_key;
