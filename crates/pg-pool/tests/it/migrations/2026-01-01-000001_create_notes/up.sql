CREATE TABLE notes (id bigint PRIMARY KEY, text varchar(10) NOT NULL, CONSTRAINT notes_text_key UNIQUE (text), CONSTRAINT notes_text_fit CHECK (text <> 'bad'));
