alter table users reset (fillfactor);
