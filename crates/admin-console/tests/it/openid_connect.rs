//! People who sign in at their company's OpenID provider: who is let in, as whom, and who is not.
//!
//! The provider is oidc-provider-mock, whose claims a test may set. It takes any client and looks neither at our assertion
//! nor at the code verifier, so what the console sends is recorded on its way and verified here, by openssl.

use std::{
    process::Command,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use backing_servers::openid_provider::{Options, Server};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    administrators::acts,
    harness::{Browser, IdentityProvider, Recorder, Seen, World},
    single_sign_on::{OBJECT, USER, provision},
};

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const SETTINGS: &str = "/settings/single-sign-on";
const TOKEN: &str = "/oauth2/token";
const KEYS: &str = "/jwks";

/// Contoso with OpenID Connect, its administrator, and what stands before its provider.
struct Company {
    world: World,
    anna: Browser,
    provider: &'static Server,
    recorder: Recorder,
}

/// One provider for all tests: each says who signs in.
fn provider() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(Options::default()).unwrap())
}

/// One that has nothing to do with the first.
fn another_provider() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(Options::default()).unwrap())
}

/// The installation's key and certificate.
fn installation() -> &'static IdentityProvider {
    static KEY: OnceLock<IdentityProvider> = OnceLock::new();
    KEY.get_or_init(|| IdentityProvider::new(""))
}

/// A console that may ask this machine's providers, at the provider's time.
async fn console() -> World {
    let key = installation().key_and_certificate();
    let settings = [("TIMECLOCK_PRIVATE_METADATA", "true"), ("TIMECLOCK_SIGN_IN_SIGNING_KEY", key.as_str())];
    let world = World::start_with(&settings).await;
    keep_time(&world);
    world
}

/// The provider has the time of day; nobody's clock is set back.
fn keep_time(world: &World) {
    let ahead = SystemTime::now().duration_since(world.clock.now()).unwrap_or_default();
    world.clock.advance(ahead);
}

impl Company {
    async fn start() -> Self {
        let world = console().await;
        let recorder = Recorder::start(&provider().issuer()).await;
        let anna = world.administrator(&world.contoso.clone()).await;
        let company = Self { world, anna, provider: provider(), recorder };
        company.provision("administrator", true);
        for way in ["password", "oidc"] {
            let saved = company.save(&[("way", way)]).await;
            assert_eq!(saved.location(), format!("{SETTINGS}?done=saved"), "{}", saved.body);
            if way == "password" {
                company.test("anna-sets-up", &json!({})).await;
            }
        }
        company.recorder.forget();
        company
    }

    /// Anna's test, with these claims besides those that lead to Megan; what it shows.
    async fn test(&self, subject: &str, claims: &Value) -> Seen {
        keep_time(&self.world);
        let page = self.anna.post(&format!("{SETTINGS}/test"), &[]).await;
        let mut all = json!({ "oid": OBJECT });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let location = self.answer(&self.sent(&page), subject, &all);
        let answer = self.anna.get(&location).await;
        assert!(answer.location().starts_with(&format!("{SETTINGS}/tests/")), "{}", answer.body);
        self.anna.get(answer.location()).await
    }

    /// Sets OpenID Connect up, with these fields before the usual ones.
    async fn save(&self, fields: &[(&str, &str)]) -> Seen {
        save(&self.anna, &self.recorder.issuer(), ("contoso.example", fields)).await
    }

    /// Where the provider sends this company's people back to.
    fn callback(&self) -> String {
        format!("/oidc/callback/{}", self.world.contoso.id)
    }

    /// Megan, as the directory has her.
    fn provision(&self, role: &str, is_active: bool) {
        provision(&self.world, 7, role, is_active);
    }

    /// Begins at `/login`; the address of the provider to which the browser is led.
    async fn begin(&self, browser: &Browser, path: &str) -> String {
        keep_time(&self.world);
        let page = browser.post("/login", &[("user", USER), ("return", path)]).await;
        self.sent(&page)
    }

    fn sent(&self, page: &Seen) -> String {
        sent(page, &self.recorder.issuer())
    }

    /// Somebody of whom the provider says this signs in there; where it sends their browser.
    fn answer(&self, address: &str, subject: &str, claims: &Value) -> String {
        answer(self.provider, address, subject, claims)
    }

    /// The whole way in, with these claims besides the usual ones.
    async fn sign_in(&self, browser: &Browser, subject: &str, claims: &Value) -> Seen {
        let address = self.begin(browser, "/people").await;
        let mut all = json!({ "oid": OBJECT, "preferred_username": USER });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        browser.get(&self.answer(&address, subject, &all)).await
    }

    fn counted(&self, result: &str) -> u64 {
        let labels = format!("result=\"{result}\",way=\"oidc\"");
        self.world.count("timeclock_console_single_sign_ons_total", &labels)
    }
}

/// The address of this provider to which a page leads.
fn sent(page: &Seen, issuer: &str) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    let start = format!("{issuer}/oauth2/authorize?");
    let (_, rest) = page.body.split_once(&start).unwrap_or_else(|| panic!("{}", page.body));
    let query = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    format!("{start}{query}")
}

async fn save(browser: &Browser, issuer: &str, (domains, fields): (&str, &[(&str, &str)])) -> Seen {
    let usual = [
        ("way", "oidc"),
        ("match_by", "external_id"),
        ("domains", domains),
        ("configuration_url", issuer),
        ("client_id", CLIENT),
    ];
    let usual = usual.into_iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    let fields: Vec<_> = fields.iter().copied().chain(usual).collect();
    browser.post(SETTINGS, &fields).await
}

/// The path and query of the callback with which a provider answers.
fn answer(provider: &Server, address: &str, subject: &str, claims: &Value) -> String {
    let (_, query) = address.split_once("/oauth2/").unwrap();
    let address = format!("{}/oauth2/{query}", provider.issuer());
    tokio::task::block_in_place(|| {
        provider.set_claims(subject, &claims.to_string()).unwrap();
        callback(&provider.sign_in(&address, subject).unwrap())
    })
}

fn callback(location: &str) -> String {
    let (_, query) = location.split_once("/oidc/callback").unwrap_or_else(|| panic!("{location}"));
    format!("/oidc/callback{query}")
}

/// A field of a query or a form.
fn field(text: &str, name: &str) -> String {
    let found = text.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    decoded(found.unwrap_or_default())
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(decoded).unwrap()
}

/// The readable part of a JWT.
fn part(text: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// Whether openssl finds a JWT signed by the key of this certificate, by PS256.
fn is_signed_by(jwt: &str, certificate: &str) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    std::fs::write(file("certificate.pem"), certificate).unwrap();
    std::fs::write(file("signed"), signed).unwrap();
    std::fs::write(file("signature"), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let openssl = |arguments: &[&str]| {
        Command::new("openssl").args(arguments).current_dir(directory.path()).output().unwrap()
    };
    let key = openssl(&["x509", "-in", "certificate.pem", "-noout", "-pubkey"]);
    std::fs::write(file("key.pem"), key.stdout).unwrap();
    let (padding, salt) = ("rsa_padding_mode:pss", "rsa_pss_saltlen:digest");
    let options = ["-sigopt", padding, "-sigopt", salt, "-verify", "key.pem", "-signature", "signature"];
    openssl(&[&["dgst", "-sha256"][..], &options, &["signed"]].concat()).status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_by_openid_connect_and_signs_out_of_here_alone() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let answer = company.sign_in(&megan, "megan-signs-in", &json!({})).await;
    assert_eq!((answer.status, answer.location()), (303, "/people"), "{}", answer.body);
    let account = megan.get("/account").await;
    assert!(account.body.contains("You are signed in as Megan Bowen"), "{}", account.body);
    let acts = acts(&company.world, company.world.contoso.id).await;
    assert!(acts.contains(&format!("session.signed_in {USER} by {USER}")), "{acts:?}");
    assert_eq!(company.counted("signed_in"), 1);
    let left = megan.post("/sign-out", &[]).await;
    assert_eq!((left.status, left.location()), (303, "/login?done=signed-out"));
    assert_eq!(megan.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_is_exchanged_by_whoever_asked_for_it_and_has_the_installation_s_key() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let address = company.begin(&megan, "/").await;
    assert_eq!(field(&address, "client_id"), CLIENT);
    assert_eq!(field(&address, "redirect_uri"), format!("{}{}", megan.origin(), company.callback()));
    assert_eq!(field(&address, "response_type"), "code");
    assert_eq!(field(&address, "code_challenge_method"), "S256");
    assert!(field(&address, "prompt").is_empty(), "{address}");
    let again = company.begin(&megan, "/").await;
    for secret in ["state", "nonce", "code_challenge"] {
        assert_eq!(field(&address, secret).len(), 43, "{secret}");
        assert_ne!(field(&address, secret), field(&again, secret), "{secret}");
    }
    let location = company.answer(&address, "megan-exchanges", &json!({ "oid": OBJECT }));
    assert_eq!(megan.get(&location).await.status, 303);

    let [asked] = company.recorder.asked(TOKEN).try_into().unwrap();
    let sent = |name| field(&asked.body, name);
    assert_eq!(sent("grant_type"), "authorization_code");
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(sent("code_verifier")));
    assert_eq!(challenge, field(&address, "code_challenge"), "RFC 7636");
    assert_eq!(sent("client_secret"), "");
    assert_eq!(sent("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let certificate = megan.get("/oidc/certificate").await;
    assert!(installation().key_and_certificate().ends_with(&certificate.body), "{}", certificate.body);
    let assertion = sent("client_assertion");
    assert!(is_signed_by(&assertion, &certificate.body));
    let forged = assertion.replacen(assertion.get(..8).unwrap(), "eyJhbGcj", 1);
    assert!(!is_signed_by(&forged, &certificate.body), "openssl notices");
    let claims = part(assertion.split('.').nth(1).unwrap());
    assert_eq!(claims["iss"], CLIENT);
    assert_eq!(claims["sub"], CLIENT);
    assert_eq!(claims["aud"], format!("{}{TOKEN}", company.recorder.issuer()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_never_provisioned_or_is_deactivated_gets_a_page_and_no_session() {
    let company = Company::start().await;
    let browser = company.world.browser();
    let stranger = company.sign_in(&browser, "stranger", &json!({ "oid": "nobody" })).await;
    assert_eq!(stranger.status, 403);
    assert!(stranger.body.contains("You have no access to TimeClock 365 yet"), "{}", stranger.body);
    assert!(stranger.body.contains("not_provisioned"), "{}", stranger.body);
    company.provision("administrator", false);
    let inactive = company.sign_in(&browser, "inactive", &json!({})).await;
    assert!(inactive.body.contains("Your account is deactivated"), "{}", inactive.body);
    assert_eq!(browser.session(), None);
    let acts = acts(&company.world, company.world.contoso.id).await;
    assert_eq!(acts.iter().filter(|act| act.starts_with("session.sign_in_refused")).count(), 2, "{acts:?}");
    let counts = ["not_provisioned", "inactive", "signed_in"].map(|result| company.counted(result));
    assert_eq!(counts, [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_what_the_company_chose_and_never_by_an_e_mail_address() {
    let company = Company::start().await;
    let browser = company.world.browser();
    let without = company.sign_in(&browser, "without", &json!({ "oid": null, "email": USER })).await;
    assert_eq!(without.status, 403, "her name and her address, and no object");
    assert!(without.body.contains("no_identifier"), "{}", without.body);
    assert_eq!(company.save(&[("match_by", "user_name")]).await.status, 303);
    let other = json!({ "preferred_username": "other@contoso.example", "email": USER });
    assert!(company.sign_in(&browser, "other", &other).await.body.contains("not_provisioned"));
    let nameless = json!({ "preferred_username": null, "email": USER });
    assert!(company.sign_in(&browser, "nameless", &nameless).await.body.contains("no_identifier"));
    let hers = company.sign_in(&browser, "hers", &json!({ "oid": "other" })).await;
    assert_eq!(hers.status, 303, "{}", hers.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_about_roles_only_takes_away() {
    let company = Company::start().await;
    for (provisioned, claimed, invite) in [
        ("administrator", json!({}), 400),
        ("administrator", json!({ "roles": ["auditor"] }), 403),
        ("auditor", json!({ "roles": ["administrator"] }), 403),
    ] {
        company.provision(provisioned, true);
        let megan = company.world.browser();
        let answer = company.sign_in(&megan, "megan-has-roles", &claimed).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let seen = megan.post("/settings/administrators/invite", &[]).await.status;
        assert_eq!(seen, invite, "{provisioned} {claimed}");
    }
}

/// RFC 9700 §4.4: a provider sends people on to another company's provider, which knows them, to be brought the code.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_back_at_another_company_s_address_is_shown_to_nobody() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let location = company.answer(&company.begin(&megan, "/").await, "mixed-up", &json!({ "oid": OBJECT }));
    let (_, query) = location.split_once('?').unwrap();
    let refused = megan.get(&format!("/oidc/callback/{}?{query}", company.world.fabrikam.id)).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("other_company"), "{}", refused.body);
    assert_eq!(company.recorder.asked(TOKEN).len(), 0, "the code is exchanged with somebody");
    assert_eq!(megan.get("/oidc/callback/contoso?code=1&state=x").await.status, 404, "an address of nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_once_and_in_the_browser_that_asked() {
    let company = Company::start().await;
    let (megan, thief) = (company.world.browser(), company.world.browser());
    let hers = json!({ "oid": OBJECT });
    let location = company.answer(&company.begin(&megan, "/").await, "megan-once", &hers);
    let stolen = thief.get(&location).await;
    assert_eq!(stolen.status, 403, "a browser that never asked");
    assert!(stolen.body.contains("other_browser"), "{}", stolen.body);
    company.begin(&thief, "/").await;
    assert_eq!(thief.get(&location).await.status, 403, "nor one that asked for itself");
    assert_eq!(company.recorder.asked(TOKEN).len(), 0, "a code that was stolen is not even exchanged");
    assert_eq!(megan.get(&location).await.status, 303);
    let again = megan.get(&location).await;
    assert_eq!(again.status, 403, "once");
    assert!(again.body.contains("other_browser"), "{}", again.body);
    // A code of somebody else, put into a sign-in of hers.
    let other = company.answer(&company.begin(&thief, "/").await, "thief", &hers);
    let state = field(&company.begin(&megan, "/").await, "state");
    let injected = format!("{}?code={}&state={state}", company.callback(), field(&other, "code"));
    let injected = megan.get(&injected).await;
    assert!(injected.body.contains("wrong_nonce"), "{}", injected.body);
    let location = company.answer(&company.begin(&megan, "/").await, "megan-late", &hers);
    company.world.clock.advance(Duration::from_secs(16 * 60));
    assert!(megan.get(&location).await.body.contains("other_browser"), "too late");
    for nonsense in ["", "?code=1", "?state=x&code=1", "?state=x&state=y", "?code=%00&state=%00"] {
        assert_eq!(megan.get(&format!("{}{nonsense}", company.callback())).await.status, 403, "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_company_s_provider_lets_nobody_into_another() {
    let company = Company::start().await;
    let world = &company.world;
    let bruno = world.administrator(&world.fabrikam.clone()).await;
    let theirs = Recorder::start(&another_provider().issuer()).await;
    let test = async |issuer: &str, provider: &Server| {
        keep_time(world);
        let page = bruno.post(&format!("{SETTINGS}/test"), &[]).await;
        let address = sent(&page, issuer);
        bruno.get(&answer(provider, &address, "bruno-tests", &json!({ "oid": OBJECT }))).await
    };
    for (issuer, provider, domains, status) in [
        (company.recorder.issuer(), provider(), "", 409),
        (theirs.issuer(), another_provider(), "fabrikam.example", 303),
    ] {
        let saved = save(&bruno, &issuer, (domains, &[("way", "password")])).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        test(&issuer, provider).await;
        let saved = save(&bruno, &issuer, (domains, &[])).await;
        assert_eq!(saved.status, status, "the first one is Contoso's: {}", saved.body);
    }
    company.recorder.forget();
    theirs.forget();
    let browser = world.browser();
    // Fabrikam's provider answers a request that Contoso made: its code is brought to Contoso's, which never gave it.
    let address = company.begin(&browser, "/").await;
    let location = answer(another_provider(), &address, "megan", &json!({ "oid": OBJECT }));
    let refused = browser.get(&location).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("declined"), "{}", refused.body);
    assert_eq!(theirs.asked(TOKEN).len(), 0);
    // And says that it is Contoso's.
    let location = answer(another_provider(), &address, "megan", &json!({ "oid": OBJECT }));
    let said = browser.get(&format!("{location}&iss={}", theirs.issuer())).await;
    assert!(said.body.contains("wrong_issuer"), "{}", said.body);
    // And answers in its place, with tokens of its own.
    company.recorder.lead_to(&another_provider().issuer());
    let location = answer(another_provider(), &address, "megan", &json!({ "oid": OBJECT }));
    let refused = browser.get(&location).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("bad_signature"), "{}", refused.body);
    assert_eq!(browser.session(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_prove_who_somebody_is_is_refused_with_its_reason() {
    let company = Company::start().await;
    let browser = company.world.browser();
    for (subject, claims, reason) in [
        ("of-another-request", json!({ "nonce": "another" }), "wrong_nonce"),
        ("for-another", json!({ "aud": "another" }), "wrong_audience"),
        ("for-others-too", json!({ "aud": [CLIENT, "another"] }), "wrong_audience"),
        ("by-another", json!({ "azp": "another" }), "wrong_audience"),
        ("of-another", json!({ "iss": "https://login.example" }), "wrong_issuer"),
        ("expired", json!({ "exp": 1 }), "expired"),
        ("old", json!({ "iat": 1 }), "stale"),
        ("unreadable", json!({ "oid": "a\u{0}b" }), "malformed"),
    ] {
        let answer = company.sign_in(&browser, subject, &claims).await;
        assert_eq!(answer.status, 403, "{subject}: {}", answer.body);
        assert!(answer.body.contains("You could not be signed in"), "{subject}: {}", answer.body);
        assert!(answer.body.contains(&format!("<code>{reason}</code>")), "{subject}: {}", answer.body);
    }
    let address = company.begin(&browser, "/").await;
    let state = field(&address, "state");
    let declined = tokio::task::block_in_place(|| {
        let address = address.replace(&company.recorder.issuer(), &company.provider.issuer());
        company.provider.decline(&address).unwrap()
    });
    // This provider forgets the state when it declines.
    let declined = browser.get(&format!("{}&state={state}", callback(&declined))).await;
    assert!(declined.body.contains("<code>declined</code>"), "{}", declined.body);
    assert_eq!(browser.session(), None);
    assert_eq!(company.counted("untrusted"), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_answer_is_told_apart_from_one_that_declines() {
    let company = Company::start().await;
    let browser = company.world.browser();
    for (status, body) in [("500 Internal Server Error", ""), ("302 Found", ""), ("204 No Content", "")] {
        company.recorder.answer(TOKEN, status, body);
        let answer = company.sign_in(&browser, "unheard", &json!({})).await;
        assert_eq!(answer.status, 502, "{}", answer.body);
        assert!(answer.body.contains("Your company’s sign-in did not answer"), "{}", answer.body);
        assert!(answer.body.contains("<code>exchange</code>"), "{}", answer.body);
    }
    let declines = r#"{"error": "invalid_client", "error_description": "AADSTS700027: megan@contoso.com"}"#;
    company.recorder.answer(TOKEN, "401 Unauthorized", declines);
    let answer = company.sign_in(&browser, "unheard", &json!({})).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<code>declined</code>"), "{}", answer.body);
    company.recorder.answer(TOKEN, "200 OK", &"x".repeat(70_000));
    let answer = company.sign_in(&browser, "unheard", &json!({})).await;
    assert!(answer.body.contains("<code>too_large</code>"), "{}", answer.body);
    assert_eq!(company.counted("failed"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_rolled_over_are_read_once_a_minute() {
    let company = Company::start().await;
    let megan = company.world.browser();
    // The provider does not say by which key it signs, so one that is not known is one of a set without it.
    company.recorder.answer(KEYS, "200 OK", r#"{"keys": []}"#);
    let refreshed = company.anna.post(&format!("{SETTINGS}/refresh"), &[]).await;
    assert_eq!(refreshed.status, 303, "{}", refreshed.body);
    assert_eq!(company.recorder.asked(KEYS).len(), 1);
    for _ in 0..2 {
        let answer = company.sign_in(&megan, "megan-rolls", &json!({})).await;
        assert!(answer.body.contains("<code>unknown_key</code>"), "{}", answer.body);
        assert_eq!(company.recorder.asked(KEYS).len(), 2, "once");
    }
    company.recorder.answer_no_more(KEYS);
    company.world.clock.advance(Duration::from_secs(61));
    let answer = company.sign_in(&megan, "megan-rolls", &json!({})).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(company.recorder.asked(KEYS).len(), 3);
    assert_eq!(company.sign_in(&megan, "megan-rolls", &json!({})).await.status, 303);
    assert_eq!(company.recorder.asked(KEYS).len(), 3, "they were kept");
    let acts = acts(&company.world, company.world.contoso.id).await;
    assert!(acts.iter().any(|act| act.starts_with("single_sign_on.refreshed")), "{acts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_somebody_else_has_read_a_moment_ago_are_believed() {
    let company = Company::start().await;
    let database = company.world.database.name.clone();
    let sql = move |text: &str| {
        backing_servers::postgres::Server::shared().unwrap().sql(&database, text).unwrap().trim().to_owned()
    };
    let keys = sql("SELECT keys FROM console.single_sign_on");
    let now = company.world.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    sql(&format!(
        "UPDATE console.single_sign_on SET keys = '{{\"keys\": []}}', keys_sought_at = to_timestamp({now} + 60)"
    ));
    let megan = company.world.browser();
    let answer = company.sign_in(&megan, "megan-waits", &json!({})).await;
    assert!(answer.body.contains("<code>unknown_key</code>"), "{}", answer.body);
    // They are kept after this sign-in has read which ones there are, and before it has the ID token.
    company.recorder.before(TOKEN, move || {
        sql(&format!("UPDATE console.single_sign_on SET keys = '{keys}'"));
    });
    let answer = company.sign_in(&megan, "megan-waits", &json!({})).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(company.recorder.asked(KEYS).len(), 0, "nobody asks for them again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_shows_what_came_and_signs_nobody_in() {
    let company = Company::start().await;
    // It can be tested before it is switched on.
    assert_eq!(company.save(&[("way", "password")]).await.status, 303);
    let before = company.anna.session();
    let test = async |subject: &str, claims: Value| {
        let report = company.test(subject, &claims).await.body;
        assert_eq!(company.anna.session(), before);
        report
    };
    let claims = json!({ "oid": OBJECT, "roles": ["auditor"], "preferred_username": USER });
    let report = test("tested", claims).await;
    let issuer = company.recorder.issuer();
    for expected in
        ["would have been accepted", "Megan Bowen", OBJECT, &issuer, "Auditor", "preferred_username", "RS256"]
    {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    let [exchanged] = company.recorder.asked(TOKEN).try_into().unwrap();
    assert!(!report.contains(&field(&exchanged.body, "code")), "the code is nobody's to see");
    let token_begins = "eyJ0eXAiOiJKV1Qi";
    assert!(!report.contains(token_begins), "nor is what could be sent elsewhere: {report}");
    let report = test("tested-for-another", json!({ "aud": "another" })).await;
    assert!(report.contains("would have been refused") && report.contains("wrong_audience"), "{report}");
    assert!(report.contains("&#34;another&#34;") || report.contains("&quot;another&quot;"), "{report}");
    company.recorder.answer(TOKEN, "503 Service Unavailable", "");
    let report = test("tested-in-vain", json!({})).await;
    assert!(report.contains("answered 503") && report.contains("<code>exchange</code>"), "{report}");
    let page = company.world.browser().post("/login", &[("user", USER)]).await;
    assert!(!page.body.contains(&issuer), "nobody else is led there yet: {}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_switched_off_where_openid_connect_was_tested() {
    let company = Company::start().await;
    let only = async || company.anna.post(&format!("{SETTINGS}/only"), &[("is_only", "true")]).await;
    let server = backing_servers::postgres::Server::shared().unwrap();
    server.sql(&company.world.database.name, "DELETE FROM console.sign_in_tests").unwrap();
    assert!(only().await.body.contains("Test it yourself first"));
    let report = company.test("anna-tests-in-vain", &json!({ "auth_time": null })).await;
    assert!(report.body.contains("There is no auth_time"), "{}", report.body);
    assert!(
        only().await.body.contains("Have it send the claim auth_time"),
        "nobody could switch them on again"
    );
    let report = company.test("anna-tests", &json!({})).await;
    assert!(!report.body.contains("There is no auth_time"), "{}", report.body);
    let ids = crate::administrators::ids(&company.world, company.world.contoso.id).await;
    let keep = format!("/settings/administrators/{}/break-glass", ids[0].1);
    assert_eq!(company.anna.post(&keep, &[("is_break_glass", "true")]).await.status, 303);
    assert_eq!(only().await.location(), format!("{SETTINGS}?done=only"));
    let moved = company.save(&[("client_id", "another-application")]).await;
    assert_eq!(moved.status, 303);
    let page = company.anna.get(SETTINGS).await.body;
    assert!(page.contains("Switch passwords off"), "what was tested has changed: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_protected_has_somebody_sign_in_again_at_the_provider() {
    let company = Company::start().await;
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan, "megan-confirms", &json!({})).await.status, 303);
    let only = async || megan.post(&format!("{SETTINGS}/only"), &[("is_only", "true")]).await;
    assert!(only().await.location().starts_with("/confirm-password"));
    let page = megan.post("/confirm-password", &[("return", "/people")]).await;
    let address = company.sent(&page);
    assert_eq!((field(&address, "prompt"), field(&address, "max_age")), ("login".to_owned(), "0".to_owned()));
    // A provider that passes it over, or a browser that leaves it out: only the time that the ID token says counts.
    let long_ago = json!({ "oid": OBJECT, "auth_time": 1 });
    let answer = megan.get(&company.answer(&address, "megan-confirms", &long_ago)).await;
    assert_eq!(answer.location(), "/confirm-password?return=/people&why=not-asked", "{}", answer.body);
    let page = megan.post("/confirm-password", &[("return", "/people")]).await;
    let no_time = json!({ "oid": OBJECT, "auth_time": null });
    let answer = megan.get(&company.answer(&company.sent(&page), "megan-confirms", &no_time)).await;
    assert_eq!(answer.location(), "/confirm-password?return=/people&why=no-time", "{}", answer.body);
    let page = megan.get(answer.location()).await;
    assert!(page.body.contains("does not say when you have proved"), "{}", page.body);
    assert!(only().await.location().starts_with("/confirm-password"), "still");
    let page = megan.post("/confirm-password", &[("return", "/people")]).await;
    let address = company.sent(&page);
    let answer = megan.get(&company.answer(&address, "megan-confirms", &json!({ "oid": OBJECT }))).await;
    assert_eq!((answer.status, answer.location()), (303, "/people"), "{}", answer.body);
    assert_eq!(only().await.status, 409, "asked, and refused for its own reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_application_or_another_protocol_ends_the_sessions_of_the_one_before() {
    let company = Company::start().await;
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan, "megan-moves", &json!({})).await.status, 303);
    assert_eq!(company.save(&[]).await.status, 303);
    assert_eq!(megan.get("/account").await.status, 200, "the same one");
    assert_eq!(company.save(&[("client_id", "another-application")]).await.status, 303);
    assert_eq!(megan.get("/account").await.status, 303);
    let location =
        company.answer(&company.begin(&megan, "/").await, "megan-moves", &json!({ "oid": OBJECT }));
    let saml = IdentityProvider::new("https://sts.example/contoso/").metadata();
    let fields = [("way", "password"), ("client_id", ""), ("metadata", saml.as_str())];
    let moved = company.save(&fields).await;
    assert_eq!(moved.status, 303, "{}", moved.body);
    let refused = megan.get(&location).await;
    assert!(refused.body.contains("<code>changed</code>"), "{}", refused.body);
    assert!(refused.body.contains("Begin again"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_used_is_refused_with_a_reason() {
    let world = console().await;
    let anna = world.administrator(&world.contoso.clone()).await;
    let recorder = Recorder::start(&provider().issuer()).await;
    let configuration = "/.well-known/openid-configuration";
    let refused = async |fields: &[(&str, &str)], expected: &str| {
        let answer = save(&anna, &recorder.issuer(), ("", fields)).await;
        assert_eq!(answer.status, 422, "{fields:?} {}", answer.body);
        assert!(answer.body.contains(expected), "{expected}: {}", answer.body);
    };
    refused(&[("client_id", " ")], "and the application’s ID").await;
    refused(&[("client_id", "a b")], "and the application’s ID").await;
    refused(&[("configuration_url", "")], "Paste the address of the metadata document").await;
    refused(&[("configuration_url", "ftp://example.com")], "must begin with https://").await;
    refused(&[("configuration_url", &format!("{}/x", recorder.issuer()))], "answered 404").await;
    recorder.answer(configuration, "200 OK", "<html>");
    refused(&[], "not an OpenID provider&#39;s configuration").await;
    let others = r#"{"issuer":"https://login.example","authorization_endpoint":"https://login.example/a","token_endpoint":"https://login.example/t","jwks_uri":"https://login.example/k","response_types_supported":["code"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}"#;
    recorder.answer(configuration, "200 OK", others);
    refused(&[], "the configuration is of another issuer").await;
    recorder.answer_no_more(configuration);
    recorder.answer(KEYS, "200 OK", "[]");
    refused(&[], "configuration or key set").await;
    recorder.answer_no_more(KEYS);
    let address = format!("{}{configuration}", recorder.issuer());
    let saved = save(&anna, &address, ("", &[("way", "password")])).await;
    assert_eq!(saved.status, 303, "the address itself does too: {}", saved.body);
    let page = anna.get(SETTINGS).await.body;
    let callback = format!("{}/oidc/callback/{}", anna.origin(), world.contoso.id);
    for shown in [address.as_str(), CLIENT, callback.as_str(), "/oidc/certificate"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_goes_back_to_passwords_also_where_the_installation_has_lost_its_key() {
    let company = Company::start().await;
    let (keyless, http) = company.world.another_instance_without("TIMECLOCK_SIGN_IN_SIGNING_KEY").await;
    let anna = Browser::new(http);
    assert_eq!(anna.sign_in(company.world.contoso.email).await.status, 303);
    company.recorder.lead_to("http://127.0.0.1:1");
    let issuer = company.recorder.issuer();
    let stays = save(&anna, &issuer, ("contoso.example", &[])).await;
    assert_eq!(stays.status, 409, "what cannot work is not saved: {}", stays.body);
    let saved = save(&anna, &issuer, ("contoso.example", &[("way", "password")])).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let page = anna.post("/login", &[("user", USER)]).await;
    assert!(page.body.contains("type=\"password\""), "{}", page.body);
    assert_eq!(company.save(&[]).await.status, 303, "and to the provider again, which is tested");
    drop(keyless);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_without_a_key_has_no_openid_connect_and_says_why() {
    let (world, anna) = World::start_signed_in().await;
    let page = anna.get(SETTINGS).await.body;
    assert!(page.contains("this installation has no certificate"), "{page}");
    assert!(!page.contains("value=\"oidc\""), "{page}");
    let refused = save(&anna, "https://login.example", ("", &[])).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("OpenID Connect is not available"), "{}", refused.body);
    assert_eq!(world.browser().get("/oidc/certificate").await.status, 404);
}
