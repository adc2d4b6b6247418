ALTER TABLE session_floors DROP COLUMN history_id;
ALTER TABLE person_sessions DROP COLUMN history_id;
DROP TABLE directory_history;
DROP TABLE access_ends;
