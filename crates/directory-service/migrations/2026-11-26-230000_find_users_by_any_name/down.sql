drop trigger users_forget_search_keys on users;
drop function forget_search_keys();
drop table user_search_keys;
alter table users drop column search_keys;
