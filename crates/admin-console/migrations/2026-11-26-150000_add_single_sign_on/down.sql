DROP TABLE session_floors;
DROP TABLE person_sessions;
DROP TABLE sign_in_tests;
DROP TABLE accepted_assertions;
DROP TABLE sign_in_requests;
DROP TABLE sign_in_domains;
DROP TABLE single_sign_on;
ALTER TABLE administrators DROP COLUMN is_break_glass;
