//! How a company's people sign in.

use bus_contract::{
    Message as _,
    audit::actor::Kind,
    console::{ReleaseSignIn, Reply, SignIn, VouchForDomain, reply::Result as Answer},
    subject::{RELEASE_SIGN_IN, VOUCH_FOR_DOMAIN},
};
use serde_json::Value;

use crate::harness::{operator, server, service, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_vouched_for_and_what_was_claimed_is_released() {
    let server = server();
    service(&server, VOUCH_FOR_DOMAIN, |asked| {
        let ask = VouchForDomain::decode(asked).unwrap();
        assert_eq!(ask.actor.unwrap().kind(), Kind::Operator);
        let sign_in = SignIn { way: "saml".into(), vouched_domains: vec![ask.domain], ..SignIn::default() };
        Reply { result: Some(Answer::SignIn(sign_in)) }
    })
    .await;
    service(&server, RELEASE_SIGN_IN, |asked| {
        let ask = ReleaseSignIn::decode(asked).unwrap();
        let sign_in = SignIn { company_id: ask.company_id, way: "password".into(), ..SignIn::default() };
        Reply { result: Some(Answer::SignIn(sign_in)) }
    })
    .await;
    let vouch = ["sign-in", "vouch", "--company", COMPANY, "--domain", "contoso.example"];
    let shown = stdout(&operator(&server.url(), &vouch));
    assert!(shown.contains("VOUCHED FOR") && shown.contains("contoso.example"), "{shown}");
    let json = stdout(&operator(&server.url(), &["--json", "sign-in", "release", "--company", COMPANY]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["company_id"], &json["way"]), (&COMPANY.into(), &"password".into()));
}
