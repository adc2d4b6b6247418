//! What operators see of mass removals, and do about them for a company.

use bus_contract::{
    Message as _, Timestamp,
    audit::actor::Kind,
    directory::{
        self, Brake, BrakeRule, DecideBrake, DecideBrakeReply, Failure, ListBrakes, ListBrakesReply,
        SetBrakeRule, SetBrakeRuleReply, brake::State, decide_brake::Decision, failure::Reason,
        reply::Result as Answer,
    },
    subject::{DECIDE_BRAKE, LIST_BRAKES, SET_BRAKE_RULE},
};
use serde_json::Value;

use crate::harness::{operator, server, service, stderr, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const BRAKE: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

fn brake(state: State) -> Brake {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    Brake {
        brake_id: BRAKE.into(),
        state: state.into(),
        began_at: at(0),
        last_at: at(60),
        removed: 132,
        had_access: 120,
        people: 300,
        waiting: 130,
        waiting_deleted: 40,
        ends_at: at(2_592_000),
        decided_by: "olga".into(),
        decided_by_kind: Kind::Operator.into(),
        ..Brake::default()
    }
}

fn told(result: Answer) -> directory::Reply {
    directory::Reply { result: Some(result) }
}

#[tokio::test(flavor = "multi_thread")]
async fn mass_removals_are_listed_with_how_many_wait() {
    let server = server();
    service(&server, LIST_BRAKES, |question| {
        assert_eq!(ListBrakes::decode(question).unwrap().company_id, COMPANY);
        told(Answer::ListBrakes(ListBrakesReply { brakes: vec![brake(State::On)], rule: None }))
    })
    .await;
    let arguments = ["brake", "list", "--company", COMPANY];
    let seen = operator(&server.url(), &arguments);
    assert!(seen.status.success());
    for text in [" 132 ", "120 of 300", "130, 40 deleted", " on ", "olga, operator"] {
        assert!(stdout(&seen).contains(text), "{text}: {}", stdout(&seen));
    }
    let seen = operator(&server.url(), &[&["--json"], arguments.as_slice()].concat());
    let rows: Value = serde_json::from_str(&stdout(&seen)).unwrap();
    assert_eq!((&rows[0]["waiting"], &rows[0]["ends_at"]), (&130.into(), &"1970-01-31T00:00:00Z".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_names_its_operator_and_a_refusal_says_why() {
    let server = server();
    service(&server, DECIDE_BRAKE, |question| {
        let question = DecideBrake::decode(question).unwrap();
        assert_eq!((question.company_id.as_str(), question.brake_id.as_str()), (COMPANY, BRAKE));
        assert_eq!(question.actor.as_ref().unwrap().name, "olga");
        match question.decision() {
            Decision::Undo => {
                told(Answer::DecideBrake(DecideBrakeReply { brake: Some(brake(State::Undoing)) }))
            }
            _ => told(Answer::Failure(Failure {
                reason: Reason::Conflict.into(),
                detail: format!("{} were seen, and there are more", question.removed),
                ..Failure::default()
            })),
        }
    })
    .await;
    let run = |act, more: &[&str]| {
        let arguments = ["--as", "olga", "brake", act, "--company", COMPANY, "--brake", BRAKE];
        operator(&server.url(), &[arguments.as_slice(), more].concat())
    };
    let undone = run("undo", &[]);
    assert!(undone.status.success() && stdout(&undone).contains("undoing"), "{}", stdout(&undone));
    let refused = run("release", &["--removed", "132"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("132 were seen"), "{}", stderr(&refused));
    assert_eq!(run("release", &[]).status.code(), Some(2), "nobody releases whom they have not counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_removal_is_a_mass_removal_is_shown_and_changed() {
    let server = server();
    service(&server, LIST_BRAKES, |_question| {
        let rule = Some(BrakeRule { more_than: 10, percent: 15 });
        told(Answer::ListBrakes(ListBrakesReply { brakes: vec![], rule }))
    })
    .await;
    service(&server, SET_BRAKE_RULE, |question| {
        let question = SetBrakeRule::decode(question).unwrap();
        assert_eq!((question.company_id.as_str(), question.actor.unwrap().name.as_str()), (COMPANY, "olga"));
        told(Answer::SetBrakeRule(SetBrakeRuleReply { rule: question.rule }))
    })
    .await;
    let rule = |act, more: &[&str]| {
        let arguments = ["--as", "olga", "brake", "rule", act, "--company", COMPANY];
        stdout(&operator(&server.url(), &[arguments.as_slice(), more].concat()))
    };
    let shown = rule("show", &[]);
    assert!(shown.contains("10 people") && shown.contains("15 %"), "{shown}");
    let set = rule("set", &["--more-than", "50", "--percent", "20"]);
    assert!(set.contains("50 people") && set.contains("20 %"), "{set}");
}
