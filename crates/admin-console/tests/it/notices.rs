//! What administrators are mailed without asking.

use std::time::Duration;

use bus_contract::{
    Timestamp,
    console::Role,
    directory::{self, CompanyHealth, Concern, Health, ListHealth, ListHealthReply, concern::Kind, health},
    subject::{LIST_CLIENTS, LIST_HEALTH, LIST_TOKENS},
    token::{self, ClientList, ListClients, ListTokens, Token, TokenList, token::State},
};

use crate::harness::{NOW, World, eventually};

const DAY: Duration = Duration::from_secs(86_400);

/// A console that looks often, with a company whose health is `state` and whose token ends in 40 days.
async fn start() -> World {
    let world = World::start_with(&[("TIMECLOCK_NOTICES_INTERVAL_MS", "50")]).await;
    let company_id = world.contoso.id.to_string();
    let of = company_id.clone();
    world.services.answer(LIST_TOKENS, move |question: ListTokens| {
        let end = i64::try_from(NOW + 40 * DAY.as_secs()).unwrap();
        let token = Token {
            token_id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
            expires_at: Some(Timestamp { seconds: end, nanos: 0 }),
            state: State::Active.into(),
            ..Token::default()
        };
        let tokens = Vec::from_iter((question.company_id == of).then_some(token));
        token::Reply { result: Some(token::reply::Result::TokenList(TokenList { tokens })) }
    });
    world.services.answer(LIST_CLIENTS, |_: ListClients| token::Reply {
        result: Some(token::reply::Result::ClientList(ClientList { clients: Vec::new() })),
    });
    say_health(&world, health::State::Healthy);
    world
}

fn say_health(world: &World, state: health::State) {
    say_concern(world, state, None);
}

fn say_concern(world: &World, state: health::State, kind: Option<Kind>) {
    let is_critical = state == health::State::Critical;
    let concern = |kind: Kind| Concern { kind: kind.into(), is_critical, ..Concern::default() };
    let concerns: Vec<_> = kind.map(concern).into_iter().collect();
    let company_id = world.contoso.id.to_string();
    world.services.answer(LIST_HEALTH, move |_: ListHealth| {
        let health = Health { state: state.into(), concerns: concerns.clone(), ..Health::default() };
        let companies = vec![CompanyHealth { company_id: company_id.clone(), health: Some(health) }];
        directory::Reply { result: Some(directory::reply::Result::ListHealth(ListHealthReply { companies })) }
    });
}

/// Rounds that have been made.
fn rounds(world: &World) -> usize {
    world.services.asked::<ListHealth>(LIST_HEALTH).len()
}

async fn two_more_rounds(world: &World) {
    let before = rounds(world);
    eventually("two rounds", || async { (rounds(world) >= before + 2).then_some(()) }).await;
}

/// The mails whose subject holds `subject`.
fn mails(world: &World, subject: &str) -> Vec<String> {
    let files = std::fs::read_dir(world.mails.path()).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap_or_default());
    mails.filter(|mail| mail.contains(subject)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_mailed_in_its_language_or_in_all() {
    let (world, _) = World::start_signed_in().await;
    let (english, french) = ("You have been invited to look after Contoso", "administrer Contoso");
    let in_both = mails(&world, english);
    assert_eq!(in_both.len(), 1);
    assert!(in_both[0].contains("To: anna@contoso.example") && in_both[0].contains("multipart/alternative"));
    assert!(in_both[0].contains(french), "{}", in_both[0]);
    assert_eq!(world.count("timeclock_console_mails_total", "sent"), 1);
    let email = "claire@contoso.example";
    world.invite_in("fr", world.contoso.id, email, Role::Auditor).await;
    let claires = mails(&world, email);
    assert!(claires.len() == 1 && claires[0].contains(french) && !claires[0].contains(english));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_notices_hears_once_for_each_step_to_the_end() {
    let world = start().await;
    world.administrator(&world.contoso.clone()).await;
    let quiet = world.person(world.contoso.id, "quiet@contoso.example", Role::Administrator).await;
    quiet.post("/account/notices", &[]).await;
    world.clock.advance(5 * DAY);
    two_more_rounds(&world).await;
    assert!(mails(&world, "expires in").is_empty(), "35 days are long");
    world.clock.advance(10 * DAY);
    let subject = "the credential for Entra expires in 25 days";
    eventually("a notice", || async { (!mails(&world, subject).is_empty()).then_some(()) }).await;
    two_more_rounds(&world).await;
    let told = mails(&world, "expires in");
    assert_eq!(told.len(), 1, "once, and to one of the two");
    assert!(told[0].contains("To: anna@contoso.example"));
    world.clock.advance(22 * DAY);
    let subject = "the credential for Entra expires in 3 days";
    eventually("the next", || async { (!mails(&world, subject).is_empty()).then_some(()) }).await;
    two_more_rounds(&world).await;
    assert_eq!(mails(&world, "expires in").len(), 2, "fourteen days have passed without a mail of their own");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_last_credential_is_told_once() {
    let world = start().await;
    world.administrator(&world.contoso.clone()).await;
    two_more_rounds(&world).await;
    let subject = "Contoso: no credential for Entra works any more";
    assert!(mails(&world, subject).is_empty());
    world.services.answer(LIST_TOKENS, |_: ListTokens| {
        let state = State::Revoked.into();
        let token_id = "0198c0de-0000-7000-8000-000000000001".to_owned();
        let tokens = vec![Token { token_id, state, ..Token::default() }];
        token::Reply { result: Some(token::reply::Result::TokenList(TokenList { tokens })) }
    });
    world.clock.advance(Duration::from_secs(3_601));
    eventually("a notice", || async { (!mails(&world, subject).is_empty()).then_some(()) }).await;
    world.clock.advance(Duration::from_secs(3_601));
    two_more_rounds(&world).await;
    assert_eq!(mails(&world, subject).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_told_once_and_so_is_its_end() {
    let world = start().await;
    world.administrator(&world.contoso.clone()).await;
    for (state, subject) in [
        (health::State::Critical, "Contoso: provisioning is about to stop"),
        // Two weeks later it is the same trouble.
        (health::State::Disconnected, "Contoso: provisioning is about to stop"),
        (health::State::Healthy, "Contoso: provisioning works again"),
    ] {
        say_health(&world, state);
        eventually(subject, || async { (!mails(&world, subject).is_empty()).then_some(()) }).await;
        two_more_rounds(&world).await;
        assert_eq!(mails(&world, subject).len(), 1);
    }
    assert_eq!(world.count("timeclock_console_notices_total", "recovered"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_trouble_is_told_in_its_own_words() {
    let world = start().await;
    world.administrator(&world.contoso.clone()).await;
    let troubles = [
        (health::State::Critical, Kind::Unauthenticated, "Contoso: Entra is refused"),
        (health::State::Warning, Kind::FailureRatio, "Contoso: provisioning has problems"),
        // More than a day of it is critical, and still nothing that fails.
        (health::State::Critical, Kind::Silent, "Contoso: Entra has gone silent"),
        (health::State::Critical, Kind::FailureCount, "Contoso: provisioning is about to stop"),
    ];
    for (place, (state, kind, subject)) in troubles.into_iter().enumerate() {
        say_concern(&world, state, Some(kind));
        eventually(subject, || async { (!mails(&world, subject).is_empty()).then_some(()) }).await;
        two_more_rounds(&world).await;
        assert_eq!(mails(&world, "Subject: Contoso").len(), place + 1, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mass_removal_is_told_once_whatever_else_is_wrong_and_its_end_is_not() {
    let world = start().await;
    world.administrator(&world.contoso.clone()).await;
    let subject = "Contoso: many people were removed";
    let say = |state: health::State, began: &[i64], others: &[Kind]| {
        let removal = |seconds: &i64| Concern {
            kind: Kind::Removals.into(),
            is_critical: true,
            since: Some(Timestamp { seconds: *seconds, nanos: 0 }),
            ..Concern::default()
        };
        let other = |kind: &Kind| Concern { kind: (*kind).into(), is_critical: true, ..Concern::default() };
        let concerns: Vec<_> = began.iter().map(removal).chain(others.iter().map(other)).collect();
        let company_id = world.contoso.id.to_string();
        world.services.answer(LIST_HEALTH, move |_: ListHealth| {
            let health = Health { state: state.into(), concerns: concerns.clone(), ..Health::default() };
            let companies = vec![CompanyHealth { company_id: company_id.clone(), health: Some(health) }];
            let reply = ListHealthReply { companies };
            directory::Reply { result: Some(directory::reply::Result::ListHealth(reply)) }
        });
    };
    say(health::State::Warning, &[1_000], &[]);
    eventually(subject, || async { (!mails(&world, subject).is_empty()).then_some(()) }).await;
    two_more_rounds(&world).await;
    assert_eq!(mails(&world, "Subject: Contoso").len(), 1, "once, and nothing about provisioning");
    // It is over, and another one begins while Entra is refused.
    say(health::State::Healthy, &[], &[]);
    two_more_rounds(&world).await;
    assert!(mails(&world, "works again").is_empty(), "provisioning never stopped working");
    say(health::State::Critical, &[2_000], &[Kind::Unauthenticated]);
    let refused = "Contoso: Entra is refused";
    eventually(refused, || async { (!mails(&world, refused).is_empty()).then_some(()) }).await;
    two_more_rounds(&world).await;
    assert_eq!(mails(&world, subject).len(), 2);
    assert_eq!(world.count("timeclock_console_notices_total", "removals"), 2);
}

/// A mail server that takes one mail and says what it was told.
async fn take_one_mail(listener: tokio::net::TcpListener) -> Vec<String> {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let (stream, _) = listener.accept().await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut told, mut is_data) = (Vec::new(), false);
    writer.write_all(b"220 stand-in\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        let answer = match line.as_str() {
            "." if is_data => "250 taken\r\n",
            "DATA" => "354 go on\r\n",
            _ if is_data => "",
            _ => "250 well\r\n",
        };
        let is_over = is_data && line == ".";
        is_data = line == "DATA" || (is_data && !is_over);
        told.push(line);
        writer.write_all(answer.as_bytes()).await.unwrap();
        if is_over {
            return told;
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_is_spoken_to_as_mail_servers_are() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let taking = tokio::spawn(take_one_mail(listener));
    let world = World::start_with(&[("TIMECLOCK_MAIL_URL", &url)]).await;
    let invited = world.invite(world.contoso.id, world.contoso.email, Role::Administrator).await;
    assert!(invited.mailed);
    let told = taking.await.unwrap();
    assert!(told.iter().any(|line| line == "RCPT TO:<anna@contoso.example>"), "{told:?}");
    assert!(told.iter().any(|line| line == "To: anna@contoso.example"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_the_link_is_still_shown() {
    let world = World::start_with(&[("TIMECLOCK_MAIL_URL", "smtp://127.0.0.1:9")]).await;
    let invited = world.invite(world.contoso.id, world.contoso.email, Role::Administrator).await;
    assert!(!invited.mailed);
    assert_eq!(world.browser().get(&world.path_of(&invited.link)).await.status, 200);
    assert_eq!(world.count("timeclock_console_mails_total", "failed"), 1);
}
