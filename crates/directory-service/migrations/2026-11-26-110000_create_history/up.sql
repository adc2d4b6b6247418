-- Which history of the directory its facts belong to. A new one begins when the database and the bus no longer tell the
-- same story, because one of them was lost or came back from a backup; whoever follows the facts then takes a snapshot.
create table history (
    singleton                 boolean primary key default true constraint history_singleton check (singleton),
    history_id                uuid not null default gen_random_uuid(),
    began_at                  timestamptz not null default now(),
    -- Which incarnation of the stream of requests it knows; null before the first.
    stream_created_unix_nanos bigint,
    -- How far requests were applied when the stream was found to have lost its count: up to there a watermark says
    -- nothing of the stream.
    lost_sequence             bigint not null default 0
);
insert into history default values;
