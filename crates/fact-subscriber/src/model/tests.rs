//! Whatever way a model comes to what it says, it says the same.

use proptest::{collection::vec, prelude::*, sample::Index};
use service_runtime::trace::{Kind, Trace};

use super::*;

const COMPANY: &str = "contoso";

/// A small directory that announces what is done to it, as the real one does.
#[derive(Default)]
struct Directory {
    users: Vec<Option<(i64, bool)>>,
    /// Who was dismissed, with the last version.
    gone: std::collections::HashMap<usize, i64>,
    groups: Vec<Option<(i64, Vec<usize>)>>,
    facts: Vec<Reading>,
}

#[derive(Debug, Clone)]
enum Act {
    Hire,
    Switch(Index),
    Dismiss(Index),
    BringBack(Index),
    Form,
    Rename(Index),
    Join(Index, Index),
    Leave(Index, Index),
    Dissolve(Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let index = any::<Index>;
    let act = prop_oneof![
        3 => Just(Act::Hire),
        3 => index().prop_map(Act::Switch),
        1 => index().prop_map(Act::Dismiss),
        1 => index().prop_map(Act::BringBack),
        1 => Just(Act::Form),
        1 => index().prop_map(Act::Rename),
        5 => (index(), index()).prop_map(|(group, user)| Act::Join(group, user)),
        3 => (index(), index()).prop_map(|(group, user)| Act::Leave(group, user)),
        1 => index().prop_map(Act::Dissolve),
    ];
    vec(act, 1..60)
}

impl Directory {
    fn of(acts: &[Act]) -> Self {
        let mut directory = Self::default();
        acts.iter().for_each(|act| directory.act(act));
        directory
    }

    fn say(&mut self, change: Change) {
        self.facts.push(Reading {
            fact_id: self.facts.len().to_string(),
            history_id: "h".to_owned(),
            company: COMPANY.to_owned(),
            occurred_at: 1_000,
            change,
        });
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Hire => self.users.push(None),
            Act::Form => self.groups.push(None),
            _ => {}
        }
        let (users, groups) = (self.users.len(), self.groups.len());
        match act {
            Act::Hire => self.set_user(users - 1, 1, true),
            Act::Form => self.set_group(groups - 1, 1, vec![]),
            Act::Switch(user) if users > 0 => {
                if let Some((version, active)) = self.users[user.index(users)] {
                    self.set_user(user.index(users), version + 1, !active);
                }
            }
            Act::Dismiss(user) if users > 0 => self.dismiss(user.index(users)),
            Act::BringBack(user) if users > 0 => {
                if let Some(version) = self.gone.remove(&user.index(users)) {
                    self.set_user(user.index(users), version + 1, true);
                }
            }
            Act::Rename(group) if groups > 0 => {
                if let Some((version, members)) = self.groups[group.index(groups)].clone() {
                    self.set_group(group.index(groups), version + 1, members);
                }
            }
            Act::Join(group, user) if groups > 0 && users > 0 => {
                let user = user.index(users);
                if self.users[user].is_some() {
                    self.set_member(group.index(groups), user, true);
                }
            }
            Act::Leave(group, user) if groups > 0 && users > 0 => {
                self.set_member(group.index(groups), user.index(users), false);
            }
            Act::Dissolve(group) if groups > 0 => self.dissolve(group.index(groups)),
            _ => {}
        }
    }

    fn set_user(&mut self, user: usize, version: i64, active: bool) {
        self.users[user] = Some((version, active));
        self.say(Change::User { user: format!("u{user}"), version, active });
    }

    fn set_group(&mut self, group: usize, version: i64, members: Vec<usize>) {
        self.groups[group] = Some((version, members));
        self.say(Change::Group { group: format!("g{group}"), version, name: format!("name {version}") });
    }

    fn set_member(&mut self, group: usize, user: usize, present: bool) {
        let Some((version, members)) = &mut self.groups[group] else { return };
        if members.contains(&user) == present {
            return;
        }
        *version += 1;
        members.retain(|member| *member != user);
        if present {
            members.push(user);
        }
        let version = *version;
        let members = vec![format!("u{user}")];
        self.say(Change::Members { group: format!("g{group}"), version, members, present });
    }

    fn dismiss(&mut self, user: usize) {
        if let Some((version, _)) = self.users[user].take() {
            self.gone.insert(user, version);
            self.say(Change::UserGone { user: format!("u{user}"), version });
            for group in 0..self.groups.len() {
                self.set_member(group, user, false);
            }
        }
    }

    fn dissolve(&mut self, group: usize) {
        if self.groups[group].take().is_some() {
            self.say(Change::GroupGone { group: format!("g{group}") });
        }
    }

    /// Fills a model as a snapshot does.
    fn show(&self, model: &mut Model) {
        model.begin_snapshot().unwrap();
        for (user, state) in self.users.iter().enumerate() {
            if let Some((version, active)) = *state {
                model.add(COMPANY, &[Change::User { user: format!("u{user}"), version, active }]).unwrap();
            }
        }
        for (group, state) in self.groups.iter().enumerate() {
            let Some((version, members)) = state.clone() else { continue };
            let group = format!("g{group}");
            // The name is of the last change of attributes; facts about members carry later versions.
            let named = self.facts.iter().rev().find_map(|fact| match &fact.change {
                Change::Group { group: of, version, name } if *of == group => Some((*version, name.clone())),
                _ => None,
            });
            let (_, name) = named.unwrap();
            let members = members.iter().map(|user| format!("u{user}")).collect();
            let shown = [
                Change::Group { group: group.clone(), version, name },
                Change::Members { group: group.clone(), version, members, present: true },
            ];
            model.add(COMPANY, &shown).unwrap();
            model.members_known_since(COMPANY, &group, version).unwrap();
        }
        model.finish_snapshot("h", self.facts.len() as u64).unwrap();
    }
}

fn untraced() -> Span {
    Trace::none().span(Kind::Consumer, format_args!("process")).begin()
}

fn follow(model: &mut Model, facts: &[(u64, Reading)]) {
    let before = model.place().unwrap();
    let facts: Vec<_> = facts.iter().map(|(sequence, fact)| (*sequence, fact.clone(), untraced())).collect();
    model.apply(&before, &facts).unwrap();
}

fn numbered(facts: &[Reading]) -> Vec<(u64, Reading)> {
    (1..).zip(facts.iter().cloned()).collect()
}

fn told(facts: &[(u64, Reading)]) -> Digest {
    let mut model = Model::in_memory().unwrap();
    follow(&mut model, facts);
    model.digest().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neither_repetitions_nor_another_order_change_what_a_model_says(
        acts in acts(),
        repeated in vec(any::<Index>(), 0..40),
        places in vec(any::<Index>(), 0..100),
    ) {
        let directory = Directory::of(&acts);
        prop_assume!(!directory.facts.is_empty());
        let facts = numbered(&directory.facts);
        let expected = told(&facts);
        let mut shuffled = facts.clone();
        shuffled.extend(repeated.iter().map(|index| index.get(&facts).clone()));
        let count = shuffled.len();
        for (at, place) in places.iter().enumerate() {
            shuffled.swap(at % count, place.index(count));
        }
        prop_assert_eq!(told(&shuffled), expected);
    }

    #[test]
    fn a_snapshot_and_the_facts_around_it_say_what_all_facts_say(
        before in acts(),
        after in acts(),
        overlap in any::<Index>(),
    ) {
        let mut directory = Directory::of(&before);
        let mut model = Model::in_memory().unwrap();
        directory.show(&mut model);
        prop_assert_eq!(model.digest().unwrap(), told(&numbered(&directory.facts)));
        // The place was taken earlier than the snapshot.
        let from = overlap.index(directory.facts.len() + 1);
        after.iter().for_each(|act| directory.act(act));
        let facts = numbered(&directory.facts);
        follow(&mut model, &facts[from..]);
        prop_assert_eq!(model.digest().unwrap(), told(&facts));
    }
}

fn user(version: i64, active: bool) -> Reading {
    Reading {
        fact_id: format!("{version}"),
        history_id: "h".to_owned(),
        company: COMPANY.to_owned(),
        occurred_at: 1_000,
        change: Change::User { user: "u".to_owned(), version, active },
    }
}

#[test]
fn the_place_moves_with_the_model_and_only_from_where_it_was() {
    let mut model = Model::in_memory().unwrap();
    let nowhere = model.place().unwrap();
    assert!(!nowhere.is_filled);
    follow(&mut model, &[(3, user(1, true)), (4, user(2, false))]);
    let place = model.place().unwrap();
    assert_eq!((place.sequence, place.fact_id.as_str(), place.history_id.as_str()), (4, "2", "h"));
    // Somebody who believes that it is elsewhere changes nothing.
    let late = [(9, user(9, true), untraced())];
    assert!(matches!(model.apply(&nowhere, &late), Err(Error::Overtaken)));
    assert_eq!((model.place().unwrap(), model.digest().unwrap().seats), (place, 0));
}

#[test]
fn whoever_is_gone_comes_back_with_a_later_version_alone_until_it_is_forgotten() {
    let mut model = Model::in_memory().unwrap();
    let gone = Reading { change: Change::UserGone { user: "u".to_owned(), version: 1 }, ..user(2, true) };
    follow(&mut model, &[(1, user(1, true)), (2, gone), (3, user(1, true))]);
    assert_eq!(model.digest().unwrap().users, 0);
    let gone = Reading { change: Change::UserGone { user: "u".to_owned(), version: 2 }, ..user(2, true) };
    follow(&mut model, &[(4, user(2, true)), (5, gone.clone()), (6, user(3, true)), (7, gone)]);
    assert_eq!(model.digest().unwrap().users, 1, "version 3 is later than the deletion of version 2");
    let gone = Reading { change: Change::UserGone { user: "u".to_owned(), version: 3 }, ..user(2, true) };
    follow(&mut model, &[(8, gone)]);
    assert_eq!(model.digest().unwrap().users, 0);
    assert_eq!(model.forget_gone_before(1_000).unwrap(), 0);
    assert_eq!(model.forget_gone_before(1_001).unwrap(), 1);
}

#[test]
fn what_was_passed_over_is_remembered_until_a_version_understands_it() {
    let mut model = Model::in_memory().unwrap();
    let unknown = Reading { change: Change::Unknown, ..user(1, true) };
    follow(&mut model, &[(1, unknown)]);
    assert_eq!(model.place().unwrap().passed_over, 1);
    assert!(!model.has_missed_what_it_now_knows().unwrap());
    // As a version that knew one kind less would have written.
    model.connection.execute("update place set kinds_known = kinds_known - 1", []).unwrap();
    assert!(model.has_missed_what_it_now_knows().unwrap());
}

#[test]
fn a_snapshot_that_is_abandoned_leaves_the_model_as_it_was() {
    let mut model = Model::in_memory().unwrap();
    follow(&mut model, &[(1, user(1, true))]);
    let before = (model.place().unwrap(), model.digest().unwrap());
    model.begin_snapshot().unwrap();
    model.add(COMPANY, &[Change::User { user: "another".to_owned(), version: 1, active: true }]).unwrap();
    model.abandon_snapshot().unwrap();
    assert_eq!((model.place().unwrap(), model.digest().unwrap()), before);
}

#[test]
fn a_file_of_another_shape_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.sqlite");
    follow(&mut Model::open(&path).unwrap(), &[(1, user(1, true))]);
    assert_eq!(Model::open(&path).unwrap().place().unwrap().sequence, 1);
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", SHAPE + 1).unwrap();
    assert!(!Model::open(&path).unwrap().place().unwrap().is_filled);
}

#[test]
fn whoever_only_reads_creates_and_empties_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    assert!(Model::open_to_read(&path).unwrap().is_none());
    assert!(!path.exists());

    let mut model = Model::open(&path).unwrap();
    follow(&mut model, &[(3, user(1, true))]);
    assert_eq!(Model::open_to_read(&path).unwrap().unwrap().digest().unwrap().users, 1);

    // As a later version would leave it.
    model.connection.pragma_update(None, "user_version", SHAPE + 1).unwrap();
    assert!(Model::open_to_read(&path).unwrap().is_none());
    assert_eq!(model.digest().unwrap().users, 1);
}
