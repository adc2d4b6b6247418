//! The made-up people of the directory: who they are follows from a number, here and in SQL alike.
//!
//! So millions can be there without being kept in memory, and the load generator knows each one's names and id.

/// People with a number below this are put there beforehand; those from here on are hired by the benchmark.
pub(crate) const FIRST_HIRE: u64 = 1 << 31;

/// Odd, so that multiplying by it modulo 2³² gives every number another: names are not in the order of the ids.
const SCATTER: u64 = 2_654_435_761;

const GIVEN_NAMES: [&str; 8] = ["Adele", "Bilal", "Chiara", "Dmitri", "Emeka", "Freja", "Grady", "Hyun"];
const FAMILY_NAMES: [&str; 8] =
    ["Vance", "Graham", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Kowalski", "Ferreira"];

/// About 1 KB, everything that Entra's default mappings send. `%n$s` stands for the values of [`Person::values`], as in
/// Postgres's `format`.
const ATTRIBUTES: &str = r#"{"externalId":"%2$s","userName":"%1$s","active":true,"displayName":"%3$s %4$s","title":"Shift Supervisor","preferredLanguage":"en-GB","emails":[{"primary":true,"type":"work","value":"%1$s"}],"name":{"formatted":"%3$s %4$s","familyName":"%4$s","givenName":"%3$s"},"phoneNumbers":[{"type":"work","value":"+49 30 5550%5$s"},{"type":"mobile","value":"+49 151 5550%5$s"}],"addresses":[{"type":"work","formatted":"Friedrichstrasse 100, 10117 Berlin, Germany","streetAddress":"Friedrichstrasse 100","locality":"Berlin","region":"Berlin","postalCode":"10117","country":"DE"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%5$s","costCenter":"CC-4711","organization":"Contoso Retail Europe","division":"Stores and Logistics","department":"Store Operations Berlin Mitte"}}"#;

const POST_BEGINS: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"meta":{"resourceType":"User"},"#;

/// One of them, by number; at most 2³² are different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person(pub(crate) u64);

impl Person {
    const fn scattered(self) -> u64 {
        (self.0 * SCATTER) % (1 << 32)
    }

    /// The id, of those who were put there beforehand: ordered as UUIDv7 are, all made in one moment.
    pub(crate) fn id(self) -> String {
        format!("01890000-0000-7000-8000-{:012x}", self.0)
    }

    pub(crate) fn user_name(self) -> String {
        let (given, family) = self.names();
        format!("{given}.{family}.{}@contoso.com", self.scattered()).to_lowercase()
    }

    pub(crate) fn external_id(self) -> String {
        format!("{:08x}-0c0e-4a0b-9f6e-{:012x}", self.scattered(), self.0)
    }

    pub(crate) fn family_name(self) -> &'static str {
        self.names().1
    }

    /// The employee number; that of others may begin so too.
    pub(crate) const fn number(self) -> u64 {
        self.0
    }

    fn names(self) -> (&'static str, &'static str) {
        // The lowest six bits choose, three each.
        let [low, ..] = self.scattered().to_le_bytes();
        (GIVEN_NAMES[usize::from(low % 8)], FAMILY_NAMES[usize::from(low / 8 % 8)])
    }

    fn values(self) -> [String; 5] {
        let (given, family) = self.names();
        [self.user_name(), self.external_id(), given.to_owned(), family.to_owned(), self.0.to_string()]
    }

    /// What is stored of them.
    fn attributes(self) -> String {
        let values = (1..).zip(self.values());
        values
            .fold(ATTRIBUTES.to_owned(), |text, (place, value)| text.replace(&format!("%{place}$s"), &value))
    }

    /// What Entra posts of them.
    pub(crate) fn post_body(self) -> String {
        self.attributes().replacen('{', POST_BEGINS, 1)
    }

    /// What Entra sends when two attributes changed; `change` makes each one a change indeed.
    pub(crate) fn patch_body(change: u64) -> String {
        format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"Replace","path":"displayName","value":"Adele Vance {change}"}},{{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Store Operations {change}"}}]}}"#
        )
    }

    /// What Entra sends when somebody is no longer assigned, or again.
    pub(crate) fn switching_body(active: bool) -> String {
        let value = if active { "True" } else { "False" };
        format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"Replace","path":"active","value":"{value}"}}]}}"#
        )
    }
}

/// SQL that adds the people from `first` up to but without `end` to a company, as the directory would have stored them.
pub(crate) fn insert_statement(company: &str, first: u64, end: u64) -> String {
    let list = |names: [&str; 8]| format!("array['{}']", names.join("','"));
    let (given, family) = (list(GIVEN_NAMES), list(FAMILY_NAMES));
    format!(
        "with stored as ( \
         insert into directory.users (company_id, user_id, user_name_key, external_id, work_email_key, \
           many_work_emails, active, display_name, version, created_at, last_modified_at, attributes, \
           display_name_key, search_keys) \
         select '{company}', ('01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, user_name, external_id, \
           user_name, false, true, given || ' ' || family, 1, now(), now(), \
           format('{ATTRIBUTES}', user_name, external_id, given, family, n), lower(given || ' ' || family), \
           n || E'\\n' || lower(family) \
         from generate_series({first}::bigint, {end}::bigint - 1) as n, \
           lateral (select (n * {SCATTER}) % 4294967296 as scattered) as s, \
           lateral (select ({given})[1 + scattered % 8] as given, \
                           ({family})[1 + (scattered >> 3) % 8] as family) as f, \
           lateral (select lower(given || '.' || family || '.' || scattered || '@contoso.com') as user_name, \
                           lpad(to_hex(scattered), 8, '0') || '-0c0e-4a0b-9f6e-' || lpad(to_hex(n), 12, '0') \
                             as external_id) as k \
         returning company_id, user_id, search_keys) \
         insert into directory.user_search_keys (company_id, key, user_id) \
         select company_id, key, user_id from stored cross join string_to_table(search_keys, E'\\n') as key"
    )
}

/// About 1 KB of attributes for a table of raw rows.
pub(crate) fn sample_attributes() -> String {
    Person(FIRST_HIRE).attributes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_of_about_a_kilobyte_with_every_value_filled_in() {
        let body = Person(7).post_body();
        let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(parsed["userName"], Person(7).user_name());
        assert_eq!(parsed["externalId"], Person(7).external_id());
        assert!(!body.contains("$s"), "{body}");
        assert!((1_000..1_500).contains(&body.len()), "{}", body.len());
    }

    #[test]
    fn people_with_different_numbers_have_different_names() {
        let numbers = (0..1_000).chain(FIRST_HIRE..FIRST_HIRE + 1_000);
        let mut names: Vec<_> = numbers.map(|number| Person(number).user_name()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 2_000);
    }

    #[test]
    fn a_patch_is_json() {
        let parsed: serde_json::Value = serde_json::from_str(&Person::patch_body(3)).unwrap();
        assert_eq!(parsed["Operations"][0]["value"], "Adele Vance 3");
    }
}
