//! What has happened in a company before the console is asked about it: lines of the log, cycles, acts of administrators.

use crate::people;

/// How much there is in a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) users: u64,
    pub(crate) lines: u64,
}

/// Hardly anything.
pub(crate) const LITTLE: Extent = Extent { users: 10, lines: 10 };
/// The most users that pages are measured with.
pub(crate) const MUCH: u64 = 100_000;
/// So many rows are put there by one statement: progress is seen, and memory stays small.
const CHUNK: usize = 50_000;

impl Extent {
    /// Very much: so many users, each of whom ten lines are about.
    pub(crate) const fn of(users: u64) -> Self {
        Self { users, lines: 10 * users }
    }

    /// SQL, statement by statement, that fills a company that is empty.
    pub(crate) fn statements(self, company: &str) -> impl Iterator<Item = String> {
        let Self { users, lines } = self;
        let chunks =
            |count: u64| (0..count).step_by(CHUNK).map(move |first| (first, count.min(first + CHUNK as u64)));
        let people = chunks(users).map(move |(first, end)| people::insert_statement(company, first, end));
        let log = chunks(lines).map(move |(first, end)| log_statement(company, self, first, end));
        people.chain(log).chain([summary_statement(company, self)])
    }
}

/// Milliseconds between two lines: a million of them go back for thirty days, which is how long Entra keeps its own log.
const STEP_MS: u64 = 2_592;
/// Lines of one cycle.
const CYCLE_LINES: u64 = 1_000;
/// Lines for each act of an administrator.
const ACT_LINES: u64 = 10;

/// SQL for a UUIDv7 of the moment of line `n`, the first `lines` of which end now.
fn id(lines: u64) -> String {
    format!(
        "(regexp_replace(lpad(to_hex((extract(epoch from now()) * 1000)::bigint - ({lines} - n) * {STEP_MS}), 12, '0'), \
           '(.{{8}})(.{{4}})', '\\1-\\2') || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
    )
}

fn moment(lines: u64) -> String {
    format!("now() - ({lines} - n) * interval '{STEP_MS} milliseconds'")
}

/// SQL that adds the lines from `first` up to but without `end` of `lines` about `users` people, as the directory and the
/// gateway would have written them: Entra mostly looks, changes some, and one in a hundred calls is refused.
fn log_statement(company: &str, Extent { users, lines }: Extent, first: u64, end: u64) -> String {
    let (id, moment) = (id(lines), moment(lines));
    format!(
        "insert into directory.provisioning_log (company_id, request_id, user_id, token_id, verb, accepted_at, \
           applied_at, outcome, target_name, target_key, changes, status, address) \
         select '{company}', {id}, u.user_id, '01890000-0000-7000-b000-000000000000', verb, {moment}, {moment}, outcome, \
           u.user_name_key, u.user_name_key, changes, status, '198.51.100.7' \
         from generate_series({first}::bigint, {end}::bigint - 1) as n, \
           lateral (select ('01890000-0000-7000-8000-' || lpad(to_hex(n % {users}), 12, '0'))::uuid as user_id) as k \
           join directory.users u on u.company_id = '{company}' and u.user_id = k.user_id, \
           lateral (select case when n % 100 = 7 then row('create', 'refused', null, 409) \
                     when n % 10 = 1 then row('update', 'updated', '[{{\"p\":\"title\",\"b\":\"Clerk\",\"a\":\"Chief\"}}]', null) \
                     when n % 10 = 2 then row('create', 'created', null, null) \
                     else row('search', 'found', null, 200) end as what) as w, \
           lateral (select * from json_to_record(row_to_json(w.what)) \
             as f(f1 text, f2 text, f3 text, f4 smallint)) as f(verb, outcome, changes, status)"
    )
}

/// SQL that adds the cycles and the acts of `lines`, and that Entra was here just now.
fn summary_statement(company: &str, Extent { users, lines }: Extent) -> String {
    let (id, moment) = (id(lines), moment(lines));
    let (cycles, acts) = ((lines / CYCLE_LINES).max(1), (lines / ACT_LINES).max(1));
    let (cycle_lines, act_lines) = (lines / cycles, lines / acts);
    format!(
        "insert into directory.cycles (company_id, cycle_id, started_at, last_call_at, calls, checked, created, updated, \
           unchanged, deactivated, reactivated, deleted, refused, failed, failed_changes, causes) \
         select '{company}', {id}, {moment}, {moment} + interval '1 minute', {cycle_lines}, {cycle_lines}, 1, 1, 0, 0, 0, \
           0, 1, 0, 1, '[]' from generate_series({cycle_lines}::bigint, {lines}, {cycle_lines}) as n; \
         insert into directory.connections (company_id, last_call_at, first_test_at, first_user_at, users, active_users, \
           groups, counted_at) values ('{company}', now(), now(), now(), {users}, {users}, 0, now()) \
         on conflict do nothing; \
         insert into console.audit_events (company_id, event_id, occurred_at, actor_kind, actor_name, actor_address, act, \
           target, note) \
         select '{company}', {id}, {moment}, 'administrator', 'ada@contoso.com', '192.0.2.1', 'session.signed_in', \
           'ada@contoso.com', '' from generate_series({act_lines}::bigint, {lines}, {act_lines}) as n"
    )
}
