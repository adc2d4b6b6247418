//! Who are the people? Plausible, international and the same for the same seed.
//!
//! A name is written `"Zoë|zoe"` where its spelling in a sign-in name differs from lower case: Entra allows only
//! ASCII there, so display names carry the accents and user names the transliteration.

use std::collections::HashSet;

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;

use crate::tenant::{Account, ObjectId, Person};

/// How many direct reports a manager has in a generated company.
const SPAN_OF_CONTROL: usize = 8;

#[derive(Clone, Copy)]
struct Place {
    given: &'static [&'static str],
    surnames: &'static [&'static str],
    language: &'static str,
    country: &'static str,
    city: &'static str,
    region: &'static str,
    street: &'static str,
    dial: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        given: &["Adele", "Nestor", "Miriam", "Grady", "Isaiah", "Lidia", "Patti", "Henrietta"],
        surnames: &[
            "Vance",
            "Wilke",
            "Graham",
            "Archie",
            "O'Brien",
            "Holloway",
            "Fernandez",
            "Mueller-Reyes",
        ],
        language: "en-US",
        country: "US",
        city: "Pittsburgh",
        region: "PA",
        street: "Forbes Avenue",
        dial: "+1 412 555",
    },
    Place {
        given: &["Seán|sean", "Niamh", "Caoimhe", "Oisín|oisin", "Róisín|roisin"],
        surnames: &["O'Sullivan", "Murphy", "D'Arcy", "Ní Bhriain|nibhriain", "McCarthy"],
        language: "en-IE",
        country: "IE",
        city: "Dún Laoghaire",
        region: "Dublin",
        street: "Marine Road",
        dial: "+353 1 555",
    },
    Place {
        given: &["Jürgen|juergen", "Anke", "Björn|bjoern", "Käthe|kaethe", "Lukas", "Zoë|zoe"],
        surnames: &[
            "Müller|mueller",
            "Groß|gross",
            "von der Heide|vonderheide",
            "Schäfer|schaefer",
            "Weiß|weiss",
        ],
        language: "de-DE",
        country: "DE",
        city: "Köln",
        region: "Nordrhein-Westfalen",
        street: "Straße am Dom",
        dial: "+49 221 555",
    },
    Place {
        given: &["François|francois", "Chloé|chloe", "Anaïs|anais", "Jean-Luc", "Inès|ines"],
        surnames: &["Lefèvre|lefevre", "d'Estaing", "Le Goff|legoff", "Gauthier", "Béranger|beranger"],
        language: "fr-FR",
        country: "FR",
        city: "Orléans",
        region: "Centre-Val de Loire",
        street: "Rue de l'Évêché",
        dial: "+33 2 38 55",
    },
    Place {
        given: &["Łukasz|lukasz", "Małgorzata|malgorzata", "Zofia", "Paweł|pawel", "Świętosława|swietoslawa"],
        surnames: &["Żółć|zolc", "Wójcik|wojcik", "Kowalska", "Dąbrowski|dabrowski", "Nowak"],
        language: "pl-PL",
        country: "PL",
        city: "Łódź",
        region: "łódzkie",
        street: "ulica Piotrkowska",
        dial: "+48 42 555",
    },
    Place {
        given: &["נועה|noa", "איתי|itay", "תמר|tamar", "יוסף|yosef"],
        surnames: &["לוי|levi", "כהן|cohen", "מזרחי|mizrahi", "בן־דוד|bendavid"],
        language: "he-IL",
        country: "IL",
        city: "תל אביב",
        region: "Tel Aviv",
        street: "שדרות רוטשילד",
        dial: "+972 3 555",
    },
    Place {
        given: &["小明|xiaoming", "丽|li", "伟|wei", "静|jing"],
        surnames: &["王|wang", "张|zhang", "欧阳|ouyang", "陈|chen"],
        language: "zh-CN",
        country: "CN",
        city: "上海",
        region: "上海",
        street: "南京东路",
        dial: "+86 21 555",
    },
    Place {
        given: &["İrem|irem", "Çağla|cagla", "Şükrü|sukru", "Işıl|isil", "Ömer|omer"],
        surnames: &["Yılmaz|yilmaz", "Öztürk|ozturk", "Çelik|celik", "Güneş|gunes"],
        language: "tr-TR",
        country: "TR",
        city: "İstanbul",
        region: "İstanbul",
        street: "İstiklal Caddesi",
        dial: "+90 212 555",
    },
    Place {
        given: &["Nguyễn An|nguyenan", "Thảo|thao", "Đức|duc", "Hương|huong"],
        surnames: &["Trần|tran", "Phạm|pham", "Đặng|dang", "Lê|le"],
        language: "vi-VN",
        country: "VN",
        city: "Đà Nẵng",
        region: "Đà Nẵng",
        street: "Đường Bạch Đằng",
        dial: "+84 236 555",
    },
    Place {
        given: &["Søren|soren", "Åse|aase", "Þóra|thora", "Bjørg|bjorg", "Väinö|vaino"],
        surnames: &["Ødegård|odegard", "Sigurðsson|sigurdsson", "Kjær|kjaer", "Hämäläinen|hamalainen"],
        language: "da-DK",
        country: "DK",
        city: "Århus",
        region: "Midtjylland",
        street: "Sønder Allé",
        dial: "+45 86 55",
    },
];

const DEPARTMENTS: &[&str] = &[
    "Payroll",
    "Finance & Controlling",
    "R&D",
    "Sales / EMEA",
    "People",
    "Operations",
    "Légal",
    "Kundenservice",
];
const TITLES: &[&str] = &[
    "Engineer",
    "Shift Supervisor",
    "Accountant",
    "Head of \"Special Projects\"",
    "Analyst (Level 2)",
    "Dispatcher",
];

/// Deals people one after the other; the same random source gives the same people.
#[derive(Debug)]
pub(crate) struct People {
    domain: String,
    taken: HashSet<String>,
    dealt: usize,
}

impl People {
    pub(crate) fn at(domain: &str) -> Self {
        Self { domain: domain.to_owned(), taken: HashSet::new(), dealt: 0 }
    }

    /// The next person, without a manager.
    pub(crate) fn next(&mut self, random: &mut StdRng) -> Person {
        self.dealt += 1;
        let place = pick(random, PLACES);
        let (given, given_ascii) = spelling(pick(random, place.given));
        let (surname, surname_ascii) = spelling(pick(random, place.surnames));
        let nickname = self.free_nickname(&format!("{given_ascii}.{surname_ascii}"));
        let guest = random.random_bool(0.02);
        let upn = if guest {
            // A guest's sign-in name, as Entra builds it: the `#` must survive the query string.
            format!("{}_fabrikam.example#EXT#@{}", nickname, self.domain)
        } else {
            format!("{nickname}@{}", self.domain)
        };
        Person {
            object_id: object_id(random),
            account: Account::Enabled,
            mail: Some(if guest { format!("{nickname}@fabrikam.example") } else { upn.clone() }),
            user_principal_name: upn,
            display_name: format!("{given} {surname}"),
            given_name: Some(given.to_owned()),
            surname: Some(surname.to_owned()),
            mail_nickname: Some(nickname),
            job_title: random.random_bool(0.9).then(|| pick(random, TITLES).to_owned()),
            department: random.random_bool(0.95).then(|| department(random)),
            employee_id: Some(format!("{:05}", 10_000 + self.dealt)),
            preferred_language: Some(place.language.to_owned()),
            office: random
                .random_bool(0.5)
                .then(|| format!("{} / {}", place.city, random.random_range(1..9))),
            street_address: Some(format!("{} {}", place.street, random.random_range(1..200))),
            city: Some(place.city.to_owned()),
            state: Some(place.region.to_owned()),
            postal_code: Some(format!("{:05}", random.random_range(1_000..99_999))),
            country: Some(place.country.to_owned()),
            telephone_number: random.random_bool(0.8).then(|| phone(place.dial, random)),
            mobile: random.random_bool(0.6).then(|| phone(place.dial, random)),
            fax: random.random_bool(0.1).then(|| phone(place.dial, random)),
            manager: None,
        }
    }

    /// Keeps a nickname from being dealt to somebody else.
    pub(crate) fn reserve(&mut self, nickname: &str) {
        self.taken.insert(nickname.to_lowercase());
    }

    fn free_nickname(&mut self, wanted: &str) -> String {
        let mut nickname = wanted.to_owned();
        let mut number = 1;
        while !self.taken.insert(nickname.clone()) {
            number += 1;
            nickname = format!("{wanted}.{number}");
        }
        nickname
    }
}

/// The position of the manager of the person at `position`, so that a company forms one tree.
pub(crate) fn manager_position(position: usize) -> Option<usize> {
    position.checked_sub(1).map(|below_the_top| below_the_top / SPAN_OF_CONTROL)
}

/// A department name.
pub(crate) fn department(random: &mut StdRng) -> String {
    pick(random, DEPARTMENTS).to_owned()
}

/// A telephone number in the international form people type.
pub(crate) fn phone(dial: &str, random: &mut StdRng) -> String {
    format!("{dial}{:04}", random.random_range(0..10_000))
}

/// A family name and its spelling in a sign-in name.
pub(crate) fn surname(random: &mut StdRng) -> (&'static str, String) {
    let place = pick(random, PLACES);
    spelling(pick(random, place.surnames))
}

/// An Entra object id; drawn from the seeded source, so that a run can be repeated exactly.
pub(crate) fn object_id(random: &mut StdRng) -> ObjectId {
    ObjectId(uuid::Builder::from_random_bytes(random.random()).into_uuid())
}

/// A GUID that names nobody, for the Test Connection filter.
pub(crate) fn nobody(random: &mut StdRng) -> Uuid {
    object_id(random).0
}

fn spelling(entry: &'static str) -> (&'static str, String) {
    let (name, ascii) = entry.split_once('|').unwrap_or((entry, entry));
    (name, ascii.to_lowercase())
}

fn pick<T: Copy>(random: &mut StdRng, among: &[T]) -> T {
    // The tables above are not empty; the first entry is only the type's way out.
    among.choose(random).copied().unwrap_or(among[0])
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn deal(seed: u64, count: usize) -> Vec<Person> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut people = People::at("contoso.com");
        (0..count).map(|_| people.next(&mut random)).collect()
    }

    #[test]
    fn the_same_seed_deals_the_same_people() {
        assert_eq!(deal(7, 200), deal(7, 200));
        assert_ne!(deal(7, 200), deal(8, 200));
    }

    #[test]
    fn a_sign_in_name_is_ascii_and_nobody_shares_one() {
        let people = deal(1, 2_000);
        let names: HashSet<_> = people.iter().map(|p| p.user_principal_name.to_lowercase()).collect();
        assert_eq!(names.len(), people.len());
        assert!(names.iter().all(|name| name.is_ascii()));
    }

    #[test]
    fn the_awkward_cases_occur() {
        let people = deal(1, 500);
        assert!(people.iter().any(|p| p.user_principal_name.contains('\'')), "apostrophe in a user name");
        assert!(people.iter().any(|p| p.user_principal_name.contains('#')), "guest");
        assert!(people.iter().any(|p| !p.display_name.is_ascii()), "accents");
        assert!(people.iter().any(|p| p.mobile.is_none()), "missing value");
    }

    #[test]
    fn managers_form_one_tree() {
        assert_eq!(manager_position(0), None);
        for position in 1..1_000 {
            let manager = manager_position(position).unwrap();
            assert!(manager < position);
        }
    }
}
