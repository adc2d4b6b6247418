//! The directory reads of any question whose it is, and how long its asker waits, before it knows what is asked.

use bus_contract::{
    Message,
    audit::ListEvents,
    directory::{
        Asked, BrowseGroups, BrowseUsers, CreateCompany, DecideBrake, DeclareSchema, GetActivity, ListBrakes,
        ListCycles, ListLog, ListMembers, ListRemovals, ListSchemas, LookUpGroup, LookUpUser, RemoveSchema,
        SearchGroups, SearchUsers, SetBrakeRule,
    },
};

const COMPANY: &str = "019aaf10-0000-7000-8000-000000000002";

macro_rules! assert_that_they_begin_with_their_company {
    ($($question:ident),+) => {
        let asked = Asked { company_id: COMPANY.to_owned(), patience_ms: 0 }.encode_to_vec();
        $(assert_eq!($question::decode(asked.as_slice()).unwrap().company_id, COMPANY, stringify!($question));)+
    };
}

#[test]
fn every_question_of_a_company_begins_with_it() {
    assert_that_they_begin_with_their_company!(
        BrowseGroups,
        BrowseUsers,
        CreateCompany,
        DecideBrake,
        DeclareSchema,
        GetActivity,
        ListBrakes,
        ListCycles,
        ListEvents,
        ListLog,
        ListMembers,
        ListRemovals,
        ListSchemas,
        LookUpGroup,
        LookUpUser,
        RemoveSchema,
        SearchGroups,
        SearchUsers,
        SetBrakeRule
    );
}

#[test]
fn the_patience_of_a_search_is_read_as_that_of_a_question() {
    let (company_id, patience_ms) = (COMPANY.to_owned(), 5_000);
    let asked = Asked { company_id: company_id.clone(), patience_ms };
    let users = SearchUsers { company_id: company_id.clone(), patience_ms, ..SearchUsers::default() };
    let groups = SearchGroups { company_id, patience_ms, ..SearchGroups::default() };
    for question in [users.encode_to_vec(), groups.encode_to_vec()] {
        assert_eq!(Asked::decode(question.as_slice()).unwrap(), asked);
    }
    // On the wire since it was first sent: field 15, a varint.
    assert!(asked.encode_to_vec().ends_with(&[15 << 3, 0x88, 0x27]));
}
