//! By which beginnings people find a user, beside userName, displayName and mail, which have columns of their own.

use scim_protocol::{fold::fold, schema};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::{apply::changes::MAX_VALUE, store::log::target_key, user::User};

/// The most keys of one user; a name of many words is found by the first of them.
const MAX_KEYS: usize = 16;
/// Between two keys in the column; no key holds it.
const SEPARATOR: char = '\n';

/// A text as people type it who have no accents at hand: folded, and every Latin letter bare. Letter by letter, so that
/// the beginning of a text becomes the beginning of its key.
pub(crate) fn bare(text: &str) -> String {
    let folded = fold(text);
    let mut bare = String::with_capacity(folded.len());
    for letter in folded.nfkd() {
        match letter {
            // The combining diacritical marks of Latin, Greek and Cyrillic; other scripts write vowels so.
            '\u{300}'..='\u{36f}' => {}
            // Letters that Unicode takes for ones of their own.
            'ø' => bare.push('o'),
            'ł' => bare.push('l'),
            'đ' | 'ð' => bare.push('d'),
            'ħ' => bare.push('h'),
            'ŧ' => bare.push('t'),
            'ı' => bare.push('i'),
            'ß' => bare.push_str("ss"),
            'æ' => bare.push_str("ae"),
            'œ' => bare.push_str("oe"),
            'þ' => bare.push_str("th"),
            letter if letter.is_control() => bare.push(' '),
            letter => bare.push(letter),
        }
    }
    bare
}

/// The beginnings by which people are looked for who type this: as it is, for the columns, and bare.
pub(crate) fn beginnings(text: &str) -> Vec<String> {
    let mut beginnings = vec![target_key(text), bare(text)];
    beginnings.dedup();
    beginnings
}

/// What stands in the column `search_keys`: each key once, none that is the beginning of another or of a column that is
/// searched as well.
pub(crate) fn of(user: &User) -> String {
    let enterprise = user.attributes.get(schema::ENTERPRISE_USER_URN);
    let number = enterprise.and_then(|enterprise| enterprise.get("employeeNumber")).and_then(Value::as_str);
    let name =
        |part: &str| user.attributes.get("name").and_then(|name| name.get(part)).and_then(Value::as_str);
    let mails: Vec<String> = user.work_email_keys().collect();
    let names = [name("familyName"), name("givenName"), user.display_name()];
    let whole = number.into_iter().chain(mails.iter().map(String::as_str)).chain([user.user_name()]);
    let keys = whole.map(bare).chain(names.into_iter().flatten().flat_map(|name| words(&bare(name))));
    let columns = [Some(fold(user.user_name())), user.display_name().map(target_key), mails.first().cloned()];
    let mut kept: Vec<String> = Vec::new();
    for key in keys.map(|key| key.trim().chars().take(MAX_VALUE).collect::<String>()) {
        let begins = |longer: &String| longer.starts_with(&key);
        if key.is_empty() || columns.iter().flatten().any(begins) || kept.iter().any(begins) {
            continue;
        }
        kept.retain(|shorter| !key.starts_with(shorter.as_str()));
        if kept.len() < MAX_KEYS {
            kept.push(key);
        }
    }
    kept.join(&SEPARATOR.to_string())
}

/// What is left of a name at each of its words, so that several of them are found together too.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut is_inside = false;
    for (place, letter) in name.char_indices() {
        let begins = letter.is_alphanumeric() && !is_inside;
        is_inside = letter.is_alphanumeric();
        if begins {
            words.extend(name.get(place..).map(str::to_owned));
        }
        if words.len() >= MAX_KEYS {
            break;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use typed_ids::{CompanyId, UserId};

    use super::*;
    use crate::time::now;

    fn keys(attributes: Value) -> Vec<String> {
        let Value::Object(attributes) = attributes else { panic!("no object") };
        let user = User {
            company: CompanyId::mint(),
            id: UserId::mint(),
            version: 1,
            created_at: now(),
            last_modified_at: now(),
            attributes: attributes.into(),
        };
        of(&user).split_terminator(SEPARATOR).map(str::to_owned).collect()
    }

    #[test]
    fn only_what_the_columns_do_not_say_is_a_key() {
        let anna = json!({
            "userName": "anna.berg@contoso.com", "displayName": "Anna Berg",
            "name": {"givenName": "Anna", "familyName": "Berg"},
            "emails": [{"type": "work", "value": "anna.berg@contoso.com"}],
            schema::ENTERPRISE_USER_URN: {"employeeNumber": "4711"},
        });
        assert_eq!(keys(anna), ["4711", "berg"]);
        assert_eq!(keys(json!({"userName": "x"})), [""; 0]);
        let astrid =
            json!({"userName": "x1", "displayName": "Ødegård-Straße, Åse", "name": {"givenName": "Åse"}});
        assert_eq!(keys(astrid), ["ase", "odegard-strasse, ase", "strasse, ase"]);
    }

    #[test]
    fn keys_are_bounded() {
        let name = "word ".repeat(100);
        let found = keys(json!({"userName": "x", "displayName": format!("{name}\u{0}\nend")}));
        assert!(found.len() <= MAX_KEYS, "{found:?}");
        assert!(found.iter().all(|key| key.chars().count() <= MAX_VALUE && !key.contains('\0')), "{found:?}");
    }

    proptest! {
        #[test]
        fn the_beginning_of_a_bare_text_is_the_bare_beginning(text in "[a-zA-ZÀ-žß ]{0,20}", cut in 0_usize..20) {
            let beginning: String = text.chars().take(cut).collect();
            prop_assert!(bare(&text).starts_with(&bare(&beginning)), "{text} {beginning}");
        }
    }
}
