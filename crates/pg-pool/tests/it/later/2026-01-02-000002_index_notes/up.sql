CREATE INDEX CONCURRENTLY notes_rank_idx ON notes (rank);
