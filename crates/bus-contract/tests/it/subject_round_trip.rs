//! A subject that we build is a subject that we read, and nothing else is.

use bus_contract::{
    call,
    partition::{self, Partition},
    subject::{self, RequestSubject, Resource, Verb},
};
use typed_ids::{CompanyId, RequestId};

#[test]
fn every_request_subject_reads_back() {
    for (resource, verb) in
        Resource::ALL.into_iter().flat_map(|resource| Verb::ALL.map(|verb| (resource, verb)))
    {
        let asked = RequestSubject { company: CompanyId::mint(), resource, verb };
        let read = RequestSubject::parse(&asked.to_string());
        // Only users can be locked out and let in.
        assert_eq!(read, Some(asked).filter(|_| resource.takes(verb)));
    }
}

#[test]
fn a_subject_with_another_companys_partition_is_refused() {
    let company = CompanyId::mint();
    let wrong = (Partition::of(company).number() + 1) % partition::COUNT;
    assert_eq!(RequestSubject::parse(&format!("provisioning.v1.{wrong}.{company}.user.create")), None);
}

#[test]
fn foreign_subjects_are_refused() {
    let company = CompanyId::mint();
    let partition = Partition::of(company);
    for subject in [
        String::new(),
        "provisioning.v1".to_owned(),
        format!("provisioning.v2.{partition}.{company}.user.create"),
        format!("provisioning.v1.{partition}.{company}.user.promote"),
        format!("provisioning.v1.{partition}.{company}.user.create.twice"),
        format!("provisioning.v1.{partition}.not-a-company.user.create"),
    ] {
        assert_eq!(RequestSubject::parse(&subject), None, "{subject}");
    }
}

#[test]
fn an_inbox_names_its_request() {
    let request = RequestId::mint();
    assert_eq!(subject::request_of_inbox(&subject::outcome_inbox("gateway-1", request)), Some(request));
    assert_eq!(subject::request_of_inbox("outcome.v1.gateway-1"), None);
}

#[test]
fn an_activity_names_its_company() {
    let company = CompanyId::mint();
    assert_eq!(subject::company_of_activity(&subject::activity(company)), Some(company));
    assert_eq!(subject::company_of_activity("activity.v1.*"), None);
}

#[test]
fn every_verb_of_a_call_reads_back_and_every_change_is_one() {
    for verb in call::Verb::ALL {
        assert_eq!(call::Verb::parse(verb.as_str()), verb);
    }
    for change in Verb::ALL {
        assert_eq!(call::Verb::parse(change.as_str()), call::Verb::Change(change));
    }
    assert_eq!(call::Verb::parse("explode"), call::Verb::Other);
}

#[test]
fn companies_spread_over_all_partitions() {
    let mut seen = [0_u32; partition::COUNT as usize];
    for _ in 0..4_000 {
        seen[usize::from(Partition::of(CompanyId::mint()).number())] += 1;
    }
    // 250 are expected in each; a fifth of that is beyond any luck.
    assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
}
