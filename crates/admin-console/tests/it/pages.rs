//! What administrators see, in both languages, whatever their people are called and whoever is away.

use bus_contract::{
    directory::{BrowseGroups, BrowseUsers, Failure, failure::Reason, reply::Result as Told},
    subject::{BROWSE_GROUPS, BROWSE_USERS},
};

use crate::{
    harness::{Browser, World},
    sample::{self, BRAKE, CLIENT_SECRET, GROUP, HOSTILE, PERSON, REQUEST, SECRET, TOKEN},
};

/// Every page, with what stands on it in English and in French.
const PAGES: [(&str, &str, &str); 13] = [
    ("/", "Connection health", "État de la connexion"),
    ("/people", "Microsoft Entra, and are read-only here", "sont ici en lecture seule"),
    ("/people/{person}", "What happened", "Ce qui s’est passé"),
    ("/groups", "Last changed", "Dernière modification"),
    ("/groups/{group}", "Members", "Membres"),
    ("/provisioning", "18 requests per second", "18 requêtes par seconde"),
    ("/provisioning/requests/{request}", "How to fix it", "Comment corriger"),
    ("/provisioning/cycles", "Past cycles", "Cycles passés"),
    ("/provisioning/brakes", "more than 25 % of those", "plus de 25 % de celles"),
    (
        "/provisioning/brakes/{brake}",
        "Of 300 who had access, 132 lost it",
        "Sur 300 qui avaient accès, 132 l’ont perdu",
    ),
    ("/settings/company", "Azure user synchronization", "Synchronisation d’utilisateur Azure"),
    ("/connect", "Test connection received", "Test de connexion reçu"),
    ("/audit", "created a Microsoft Entra token", "a créé un jeton Microsoft Entra"),
];

fn path(pattern: &str) -> String {
    pattern
        .replace("{person}", PERSON)
        .replace("{group}", GROUP)
        .replace("{request}", REQUEST)
        .replace("{brake}", BRAKE)
}

async fn speaks(browser: &Browser, language: &str) {
    let answer = browser.post("/language", &[("language", language), ("return_to", "/people")]).await;
    assert_eq!((answer.status, answer.location()), (303, "/people"));
}

/// The section and the breadcrumb that Microsoft's tutorial names, in the order of its steps.
fn assert_follows_the_tutorial(page: &str, words: &[&str]) {
    let mut rest = page;
    for word in words {
        let found = rest.find(word).unwrap_or_else(|| panic!("{word:?} is missing, or in the wrong place"));
        rest = rest.get(found + word.len()..).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_there_in_both_languages() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    for (language, is_french) in [("en", false), ("fr", true)] {
        speaks(&browser, language).await;
        for (pattern, english, french) in PAGES {
            let seen = browser.get(&path(pattern)).await;
            assert_eq!(seen.status, 200, "{pattern} in {language}: {}", seen.body);
            let expected = if is_french { french } else { english };
            assert!(seen.body.contains(expected), "{pattern} in {language} lacks {expected:?}");
            assert!(seen.body.contains(&format!("<html lang=\"{language}\">")), "{pattern}");
            assert_eq!(seen.body.matches("<h1").count(), 1, "{pattern} has one first heading");
            assert!(!seen.body.contains("Unknown localization key"), "{pattern} in {language}");
            assert_eq!(seen.header("cache-control"), "no-store", "{pattern}");
            let policy = seen.header("content-security-policy");
            for script in seen.body.split("<script nonce=\"").skip(1) {
                let nonce = script.split('"').next().unwrap();
                assert!(
                    !nonce.is_empty() && policy.contains(&format!("'nonce-{nonce}'")),
                    "{pattern}: {policy}"
                );
            }
            assert!(!seen.body.contains(" style=\"") && !seen.body.contains(" onclick"), "{pattern}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_page_can_be_followed_by_the_tutorials_words() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let english = browser.get("/settings/company").await.body;
    let words = ["Settings", "Company profile", "General", "Azure user synchronization", "Tenant URL"];
    assert_follows_the_tutorial(english.split("<main").nth(1).unwrap(), &words);
    assert!(english.contains("Microsoft Entra token"));
    speaks(&browser, "fr").await;
    let french = browser.get("/settings/company").await.body;
    let words = [
        "Paramètres",
        "Profil de l’entreprise",
        "Général",
        "Synchronisation d’utilisateur Azure",
        "URL de locataire",
    ];
    assert_follows_the_tutorial(french.split("<main").nth(1).unwrap(), &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_text_everywhere() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, HOSTILE);
    for (pattern, _, _) in PAGES {
        let seen = browser.get(&path(pattern)).await.body;
        assert!(!seen.contains("<script>alert"), "{pattern} runs a name");
        assert!(!seen.contains(r#"alert("x")"#), "{pattern} lets a quote out");
    }
    let shown = browser.get("/people").await.body;
    assert!(shown.contains("&#60;script&#62;alert(&#34;x&#34;)"), "the name is shown: {shown}");
    let query = "/people?search=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&state=%22%3E";
    let echoed = browser.get(query).await.body;
    assert!(!echoed.contains("<script>alert"), "a search is text too");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_holds_a_secret_that_was_not_asked_for() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    for (pattern, _, _) in PAGES {
        let seen = browser.get(&path(pattern)).await.body;
        assert!(!seen.contains(SECRET) && !seen.contains(CLIENT_SECRET), "{pattern}");
    }
    for (act, fields) in [("tokens", vec![("return_to", "")]), ("tokens/rotate", vec![("overlap", "86400")])]
    {
        let answer = browser.post(&format!("/settings/company/{act}"), &fields).await;
        assert_eq!(answer.status, 303, "{act}: {}", answer.body);
        let back = browser.get(answer.location().split('#').next().unwrap()).await;
        assert!(back.body.contains("A new token is ready") && !back.body.contains(SECRET), "{act}");
    }
    let asked = browser.post(&format!("/settings/company/tokens/{TOKEN}/reveal"), &[]).await;
    assert_eq!((asked.status, asked.header("cache-control")), (200, "no-store"));
    assert!(asked.body.contains(SECRET) && asked.body.contains("data-secret"));
    let copied = browser.post(&format!("/settings/company/tokens/{TOKEN}/reveal"), &[("as", "text")]).await;
    assert_eq!((copied.status, copied.body.as_str()), (200, SECRET));
    let told = browser.post("/settings/company/clients", &[("kind", "secret"), ("description", "x")]).await;
    assert!(told.status == 200 && told.body.contains(CLIENT_SECRET), "{}", told.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_token_is_done_in_the_administrators_name() {
    use bus_contract::{
        audit::actor,
        subject::{REVEAL_TOKEN, REVOKE_TOKEN, ROTATE_TOKEN},
        token::{RevealToken, RevokeToken, RotateToken},
    };
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    browser.post(&format!("/settings/company/tokens/{TOKEN}/reveal"), &[]).await;
    browser.post("/settings/company/tokens/rotate", &[("overlap", "3600"), ("years", "3")]).await;
    let revoked = browser.post(&format!("/settings/company/tokens/{TOKEN}/revoke"), &[]).await;
    assert_eq!((revoked.status, revoked.location()), (303, "/settings/company?done=revoked"));
    let revealed = world.services.asked::<RevealToken>(REVEAL_TOKEN).remove(0);
    let rotated = world.services.asked::<RotateToken>(ROTATE_TOKEN).remove(0);
    let revoked = world.services.asked::<RevokeToken>(REVOKE_TOKEN).remove(0);
    assert_eq!((rotated.overlap_seconds, rotated.lifetime_seconds), (Some(3_600), Some(3 * 365 * 86_400)));
    assert_eq!((revealed.token_id.as_str(), revoked.token_id.as_str()), (TOKEN, TOKEN));
    for (company, actor) in [
        (revealed.company_id, revealed.actor),
        (rotated.company_id, rotated.actor),
        (revoked.company_id, revoked.actor),
    ] {
        let actor = actor.unwrap();
        assert_eq!(company, world.contoso.id.to_string());
        assert_eq!((actor.kind(), actor.name.as_str()), (actor::Kind::Administrator, world.contoso.email));
        assert_eq!(actor.address, browser.address);
    }
    let odd = browser.post("/settings/company/tokens/rotate", &[("overlap", "7")]).await;
    assert_eq!(odd.status, 400, "an overlap that the dialog does not offer");
    let odd = browser.post("/settings/company/tokens/rotate", &[("overlap", "0"), ("years", "4")]).await;
    assert_eq!(odd.status, 400, "a lifetime that it does not offer");
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_see_everything_but_secrets_and_find_no_button_that_changes_anything() {
    let world = World::start().await;
    drop(world.administrator(&world.contoso.clone()).await);
    let auditor = world.auditor().await;
    sample::lives(&world, "Diego Siciliani");
    for (pattern, english, _) in PAGES {
        let seen = auditor.get(&path(pattern)).await;
        assert!(seen.status == 200 && seen.body.contains(english), "{pattern}: {}", seen.body);
        let forms = seen.body.matches("method=\"post\"").count();
        assert_eq!(forms, 2, "{pattern}: the language and signing out, nothing else");
    }
    let refused = auditor.post(&format!("/settings/company/tokens/{TOKEN}/reveal"), &[]).await;
    assert_eq!(refused.status, 403);
    assert!(!refused.body.contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_are_pages_that_say_so() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    sample::says_log(&world, Vec::new(), false);
    let unknown = uuid::Uuid::from_u128(7).to_string();
    for id in [unknown.as_str(), "x", "..%2f..", "%3Cscript%3E", &PERSON.to_uppercase()] {
        for folder in ["people", "groups", "provisioning/requests"] {
            let seen = browser.get(&format!("/{folder}/{id}")).await;
            assert_eq!(seen.status, 404, "/{folder}/{id}");
            assert!(seen.body.contains("There is no such page"), "/{folder}/{id}: {}", seen.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_place_is_gone_begins_again() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let gone = || {
        let (reason, detail) = (Reason::Invalid.into(), "begin again".to_owned());
        sample::told(Told::Failure(Failure { reason, detail, ..Failure::default() }))
    };
    world.services.answer(BROWSE_USERS, move |_: BrowseUsers| gone());
    world.services.answer(BROWSE_GROUPS, move |_: BrowseGroups| gone());
    let people = browser.get(&format!("/people?search=a%26b&state=active&after={PERSON}")).await;
    assert_eq!((people.status, people.location()), (303, "/people?search=a%26b&state=active"));
    let groups = browser.get(&format!("/groups?search=a%26b&after={GROUP}")).await;
    assert_eq!((groups.status, groups.location()), (303, "/groups?search=a%26b"));
    assert_eq!(browser.get("/people").await.status, 503, "and goes nowhere when it has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_deleted_keeps_a_story() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let gone = uuid::Uuid::from_u128(7);
    sample::says_log(&world, vec![sample::refused("Ghost")], false);
    let seen = browser.get(&format!("/people/{gone}")).await;
    assert_eq!(seen.status, 200);
    assert!(
        seen.body.contains("This account was deleted") && seen.body.contains(">Ghost</h1>"),
        "{}",
        seen.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_leaves_a_notice_in_its_place_and_never_a_500() {
    let (world, browser) = World::start_signed_in().await;
    // Nobody answers anything but what companies there are: every question runs into its deadline.
    let pages = PAGES.map(|(pattern, _, _)| {
        let browser = browser.clone();
        tokio::spawn(async move { (pattern, browser.get(&path(pattern)).await) })
    });
    for page in pages {
        let (pattern, seen) = page.await.unwrap();
        assert_eq!(seen.status, 503, "{pattern}");
        assert!(seen.body.contains("This cannot be shown at the moment"), "{pattern}: {}", seen.body);
        assert!(seen.body.contains("<nav class=\"side\""), "{pattern} is still a page of the console");
    }
    drop(world);
}

#[tokio::test(flavor = "multi_thread")]
async fn danger_is_said_on_every_page_with_what_to_do() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    sample::says_activity(&world, sample::in_danger());
    for (pattern, _, _) in PAGES.into_iter().filter(|(pattern, _, _)| *pattern != "/connect") {
        let seen = browser.get(&path(pattern)).await.body;
        assert!(seen.contains("Microsoft Entra calls with a token that is no longer valid"), "{pattern}");
        assert!(seen.contains("38 requests were refused"), "{pattern}");
    }
    let overview = browser.get("/").await.body;
    assert!(
        overview.contains("Quarantine risk") && overview.contains("31 of 100 changes fail in this cycle")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_soon_is_spoken_of_before_it_does() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let day = 24 * 3_600;
    for (days, is_said) in [(31, false), (29, true), (3, true)] {
        let token = bus_contract::token::Token { expires_at: sample::after(days * day), ..sample::token() };
        sample::says_tokens(&world, vec![token]);
        let seen = browser.get("/people").await.body;
        let said = seen.contains(&format!("The token that Microsoft Entra uses expires in {days} days"));
        assert_eq!(said, is_said, "{days} days before its end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_the_page_says_whether_entra_has_moved() {
    use bus_contract::{
        directory::CredentialUse,
        token::{Token, token::State},
    };
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let old = Token {
        token_id: sample::OLD_TOKEN.into(),
        issued_at: sample::before(300 * 24 * 3_600),
        ends_at: sample::after(6 * 24 * 3_600),
        state: State::Retiring.into(),
        ..sample::token()
    };
    sample::says_tokens(&world, vec![sample::token(), old]);
    let seen_at = |id: &str, seconds| CredentialUse {
        credential_id: id.into(),
        last_used_at: sample::before(seconds),
        calls: 17,
        ..CredentialUse::default()
    };
    let mut activity = sample::activity();
    activity.uses = vec![seen_at(sample::OLD_TOKEN, 60)];
    sample::says_activity(&world, activity.clone());
    let waiting = browser.get("/settings/company").await.body;
    assert!(waiting.contains("Microsoft Entra has not used the new one yet"));
    assert!(
        waiting.contains("Microsoft Entra still uses the previous token, which ends in 6 days"),
        "the banner"
    );
    let worked =
        |id: &str, seconds| CredentialUse { last_worked_at: sample::before(seconds), ..seen_at(id, seconds) };
    // Tested and not saved; saved, and back to the old one.
    let gone_back = CredentialUse { last_worked_at: sample::before(900), ..seen_at(TOKEN, 5) };
    for newer in [seen_at(TOKEN, 5), gone_back] {
        activity.uses = vec![worked(sample::OLD_TOKEN, 600), newer];
        sample::says_activity(&world, activity.clone());
        let tried = browser.get("/settings/company").await.body;
        assert!(tried.contains("did you select Save?") && tried.contains("Stop the old token now…"));
        assert!(!tried.contains("Retire the old token") && tried.contains("still uses the previous token"));
    }
    activity.uses = vec![worked(sample::OLD_TOKEN, 600), worked(TOKEN, 5)];
    sample::says_activity(&world, activity);
    let moved = browser.get("/settings/company").await.body;
    assert!(moved.contains("Microsoft Entra has used the new token 17 times: retire the old one?"));
    assert!(!moved.contains("still uses the previous token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_company_is_shown_the_way() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    sample::says_activity(&world, sample::nothing_yet());
    sample::says_tokens(&world, Vec::new());
    sample::says_no_client(&world);
    sample::says_log(&world, Vec::new(), false);
    assert!(browser.get("/").await.body.contains("href=\"/connect\""));
    let wizard = browser.get("/connect").await.body;
    assert!(
        wizard.contains("Waiting for the test from Microsoft Entra") && wizard.contains("Generate token")
    );
    assert!(browser.get("/provisioning").await.body.contains("No cycle yet"));
    assert!(browser.get("/settings/company").await.body.contains("There is no token yet"));
    let issued = browser.post("/settings/company/tokens", &[("return_to", "/connect")]).await;
    assert_eq!((issued.status, issued.location()), (303, "/connect"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_connects_by_a_client_misses_no_token() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    sample::says_tokens(&world, Vec::new());
    let wizard = browser.get("/connect").await.body;
    assert!(wizard.contains(sample::CLIENT) && wizard.contains("Token endpoint"));
    assert!(wizard.contains("6 of 7 steps done"), "groups are the one step that is left");
    assert!(!wizard.contains("There is no token yet"));
    let overview = browser.get("/").await.body;
    assert!(overview.contains("OAuth client") && !overview.contains("No token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_complains_of_a_wrong_token_until_a_right_one_came() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let complaint = "came with a token that does not work any more";
    let mut activity = sample::activity();
    activity.uses[0].refused_calls = 9;
    sample::says_activity(&world, activity);
    assert!(!browser.get("/connect").await.body.contains(complaint));
    sample::says_activity(&world, sample::in_danger());
    assert!(browser.get("/connect").await.body.contains(complaint));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_takes_time_opens_only_after_the_password() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    assert!(browser.get("/settings/company").await.body.contains("name=\"tenant_id\""));
    world.clock.advance(std::time::Duration::from_secs(11 * 60));
    let later = browser.get("/settings/company").await.body;
    assert!(!later.contains("name=\"tenant_id\""));
    let way = "/confirm-password?return=/settings/company%3Fform%3Dfederation%23credential-types";
    assert!(later.contains(way));
    let reveal = format!("/settings/company/tokens/{TOKEN}/reveal");
    let origin = browser.origin();
    let referrer = format!("{origin}/connect");
    let token = browser.csrf_token().unwrap();
    let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin"), ("referer", &referrer)];
    let asked = browser.post_from(&reveal, &[("csrf_token", &token)], &headers).await;
    assert_eq!(asked.location(), "/confirm-password?return=/connect%3Fconfirmed%3Dyes");
    let fields = [("password", crate::harness::PASSWORD), ("return", "/connect?confirmed=yes")];
    let confirmed = browser.post("/confirm-password", &fields).await;
    assert_eq!((confirmed.status, confirmed.location()), (303, "/connect?confirmed=yes"));
    assert!(browser.get(confirmed.location()).await.body.contains("select the button once more"));
    let open = browser.get("/settings/company?form=federation").await.body;
    assert_eq!(open.matches("<details open>").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn causes_are_words_with_a_way_to_their_lines() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let overview = browser.get("/").await.body;
    assert!(overview.contains("Somebody else has this name already"));
    assert!(overview.contains("href=\"/provisioning?result=problem#log-lines\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_cannot_be_undone_is_asked_about_first() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let page = browser.get("/settings/company").await.body;
    let forms = page.match_indices("/revoke\"").map(|(at, _)| page.get(..at).unwrap());
    let mut count = 0;
    for before in forms {
        assert!(before.rfind("<dialog") > before.rfind("</dialog>"), "a form outside of a dialog");
        count += 1;
    }
    assert!(count >= 3, "the token's, the client's, its secret's");
    assert!(page.contains("It is the last secret of this client."));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_service_refuses_is_said_on_the_page() {
    use bus_contract::{
        subject::ISSUE_TOKEN,
        token::{Failure, IssueToken, failure::Reason, reply::Result as Told},
    };
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    world.services.answer(ISSUE_TOKEN, |_: IssueToken| {
        let reason = Reason::Invalid.into();
        sample::tokens_told(Told::Failure(Failure {
            reason,
            detail: "the company has 20 valid tokens already".into(),
        }))
    });
    let answer = browser.post("/settings/company/tokens", &[("return_to", "")]).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("This could not be done") && answer.body.contains("20 valid tokens already")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_kept_forever_under_names_that_change() {
    let (world, _browser) = World::start_signed_in().await;
    let stranger = world.browser();
    let page = stranger.get("/sign-in").await.body;
    let sheet =
        page.split("href=\"").filter_map(|rest| rest.split('"').next()).find(|path| path.ends_with(".css"));
    let seen = stranger.get(sheet.unwrap()).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "text/css; charset=utf-8"));
    assert_eq!(seen.header("cache-control"), "public, max-age=31536000, immutable");
    let font = seen.body.split("url(\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(stranger.get(&format!("/assets/{font}")).await.header("content-type"), "font/woff2");
    assert_eq!(
        stranger.get("/assets/console.css").await.status,
        404,
        "only under the name with its fingerprint"
    );
}
