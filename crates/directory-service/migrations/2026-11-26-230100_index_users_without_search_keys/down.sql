drop index users_without_search_keys;
