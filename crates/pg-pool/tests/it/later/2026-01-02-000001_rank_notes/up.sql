ALTER TABLE notes ADD COLUMN rank integer;
