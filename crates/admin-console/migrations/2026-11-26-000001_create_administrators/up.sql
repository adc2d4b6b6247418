-- Run by the owner role with the schema `console` first in its search_path.
CREATE TABLE administrators (
  administrator_id uuid NOT NULL CONSTRAINT administrators_pkey PRIMARY KEY,
  company_id       uuid NOT NULL
);
