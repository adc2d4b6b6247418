drop table if exists place;
drop table if exists users;
drop table if exists groups;
drop table if exists memberships;

-- One row: how far the stream is applied. Written in the transaction that applies it.
create table place (
    only        integer primary key check (only = 1),
    history_id  text not null,
    sequence    integer not null,
    fact_id     text not null,
    passed_over integer not null,
    kinds_known integer not null
);

-- gone_at is set when the user is gone: whatever comes later about this id is old.
create table users (
    company_id text not null,
    user_id    text not null,
    version    integer not null,
    active     integer not null,
    gone_at    integer,
    primary key (company_id, user_id)
) without rowid;

-- Facts about members of before members_since are in the memberships already.
create table groups (
    company_id    text not null,
    group_id      text not null,
    version       integer not null,
    name          text not null,
    members_since integer not null default 0,
    gone_at       integer,
    primary key (company_id, group_id)
) without rowid;

-- A membership that ended stays as a row that is not present, or an old fact could bring it back.
create table memberships (
    company_id text not null,
    group_id   text not null,
    member_id  text not null,
    version    integer not null,
    present    integer not null,
    changed_at integer not null,
    primary key (company_id, group_id, member_id)
) without rowid;
create index memberships_member on memberships (company_id, member_id) where present;
