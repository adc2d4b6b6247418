-- A change usually touches no indexed column. With room left in its page the new version stays there and no index hears of
-- it; without, every one of the five gets an entry more.
alter table users set (fillfactor = 85);
