//! What operators ask has an answer: every expression of panels, rules and runbooks, and the commands there.

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use backing_servers::port;
use entra_emulator::{Credential, OAuthClient, SecretPlace, Tenant};
use local_stack::Stack;
use promql_parser::parser::{BinaryExpr, Expr, parse};
use serde_json::{Value, json};
use tests_e2e::{
    Entra, World,
    actors::{
        bus,
        prometheus::{Answer, Prometheus, repository},
        scim::{group, id, user},
        visitor::Visitor,
    },
};
use tokio::task::block_in_place;

/// Some gauges are told once a minute.
const LIMIT: Duration = Duration::from_secs(240);

/// What may have no answer here, by what its series begin with, and why.
const WITHOUT_ANSWER: [(&str, &str); 1] = [("ALERTS", "nothing is wrong here, so nothing fires")];

/// One question: where it is asked, and what.
type Question = (String, String);

/// Everything that panels, annotations and variables of dashboards ask.
fn on_dashboards() -> Vec<Question> {
    let folder = repository().join("deploy/observability/grafana/dashboards");
    let mut found = Vec::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let board: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut add = |title: &Value, text: &Value| {
            found.push((format!("{}: {title}", board["title"]), chosen(text.as_str().unwrap())));
        };
        for panel in list(&board["panels"]) {
            list(&panel["targets"]).iter().for_each(|target| add(&panel["title"], &target["expr"]));
        }
        for annotation in list(&board["annotations"]["list"]) {
            add(&annotation["name"], &annotation["expr"]);
        }
        for variable in list(&board["templating"]["list"]) {
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let series = query.trim_start_matches("label_values(").rsplit_once(',').unwrap().0;
            add(&variable["name"], &series.into());
        }
    }
    found
}

/// The lines of those blocks of runbooks that are in this language.
fn in_runbooks(language: &str) -> Vec<Question> {
    let fence = format!("```{language}\n");
    let mut found = Vec::new();
    for page in fs::read_dir(repository().join("docs/runbooks")).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&page).unwrap();
        let blocks = text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
        let lines = blocks.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
        found.extend(lines.map(|line| (page.display().to_string(), line.to_owned())));
    }
    assert!(!found.is_empty(), "no runbook has {language}");
    found
}

/// An expression as Grafana sends it, when everything is chosen.
fn chosen(expression: &str) -> String {
    let all = ["$job", "$instance", "$company"];
    let text = all.iter().fold(expression.to_owned(), |text, name| text.replace(name, ".*"));
    text.replace("$__rate_interval", "1m").replace("$__range", "5m")
}

/// Whether an expression is there or not by a comparison, so that nothing is a good answer.
fn is_condition(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(inner) => is_condition(&inner.expr),
        Expr::Binary(BinaryExpr { op, .. }) if op.is_comparison_operator() => true,
        Expr::Binary(BinaryExpr { op, lhs, rhs, .. }) if op.is_set_operator() => {
            is_condition(lhs) || is_condition(rhs)
        }
        Expr::Call(call) => call.func.name == "absent",
        _ => false,
    }
}

/// What must have an answer: an expression without its comparisons, each side for itself.
fn parts(expression: &Expr) -> Vec<String> {
    match expression {
        Expr::NumberLiteral(_) => Vec::new(),
        Expr::Paren(inner) => parts(&inner.expr),
        Expr::Binary(binary) if is_condition(expression) => [parts(&binary.lhs), parts(&binary.rhs)].concat(),
        Expr::Call(call) if is_condition(expression) => {
            call.args.args.iter().map(|argument| argument.to_string()).collect()
        }
        _ => vec![expression.to_string()],
    }
}

#[test]
fn a_condition_is_asked_without_its_comparisons() {
    let asked = |text| parts(&parse(text).unwrap());
    assert_eq!(asked("sum(a) / sum(b) > 0.5"), ["sum(a) / sum(b)"]);
    assert_eq!(asked("a > 3 and (b < c or absent(d))"), ["a", "b", "c", "d"]);
    assert_eq!(asked("(a or vector(0)) / b"), ["(a or vector(0)) / b"]);
    assert_eq!(asked("count(a) or vector(0)"), ["count(a) or vector(0)"]);
}

/// One of everything that a company, Entra, an administrator and an operator do, well and badly.
struct Everything {
    world: World,
    console: String,
    secure: String,
    ended: String,
    clients: Vec<Entra>,
    round: usize,
}

impl Everything {
    async fn prepare() -> Self {
        let world = World::with_administrator("Observed");
        let operator = world.operator();
        // One that ends soon, and one that has ended.
        drop(operator.issue("2d"));
        let ended = operator.issue("30d");
        operator.revoke(&ended.id);
        let made = operator.create_client(&[]);
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        let client = OAuthClient { id: text("id"), token_endpoint: text("token_endpoint") };
        let by_secret = |secret: String| {
            let secret = secret.into();
            let credential =
                Credential::ClientSecret { client: client.clone(), secret, place: SecretPlace::Body };
            world.entra_by(credential, Tenant::empty("observed.example", 1))
        };
        let clients = vec![by_secret(text("secret")), by_secret("no secret of anybody".to_owned())];
        let console = world.console_url();
        let secure = block_in_place(|| speaks_tls(world.stack(), "token-service"));
        // Once: who guesses often makes everybody at this address wait.
        drop(Visitor::new(&console).post("/sign-in", &[("email", "who"), ("password", "guess")]).await);
        let mut cycle = world.entra(Tenant::empty("cycle.example", 2), |_defaults| ());
        let anna = cycle.tenant.hire_named("Anna", "Berg", "anna.berg");
        cycle.cycle().await;
        cycle.tenant.disable(anna);
        cycle.cycle().await;
        Self { world, console, secure, ended: ended.secret, clients, round: 0 }
    }

    async fn happen(&mut self) {
        self.round += 1;
        self.entra().await;
        for client in &mut self.clients {
            // A client keeps its access token for an hour; another connection gets another one.
            client.job.restart();
            drop(client.job.test_connection().await);
        }
        let visitor = Visitor::signed_in(&self.console, &self.world.company).await;
        assert_eq!(visitor.get("/").await.status, 200);
        drop(block_in_place(|| self.world.operator().tokens()));
        drop(block_in_place(|| self.world.operator().invite("new@observed.example", "auditor", "en")));
    }

    async fn entra(&self) {
        let (scim, round) = (&self.world.scim, self.round);
        let created = scim.create_user(&format!("{round}@observed.example")).await;
        let person = id(&created);
        let team = id(&scim.post("/Groups", &group(&format!("Team {round}"))).await.expect(201));
        let member = json!([{ "op": "Add", "path": "members", "value": [{ "value": person }] }]);
        scim.patch_group(&team, member).await.expect(204);
        let title = json!([{ "op": "Replace", "path": "title", "value": format!("{round}") }]);
        scim.patch_user(&person, title).await.expect(200);
        for active in ["False", "True", "False"] {
            let change = json!([{ "op": "Replace", "path": "active", "value": active }]);
            scim.patch_user(&person, change).await.expect(200);
        }
        assert_eq!(scim.find(&format!("userName eq \"{round}@observed.example\"")).await.len(), 1);
        scim.get("/Groups").await.expect(200);
        scim.get("/Schemas").await.expect(200);
        scim.post("/Users", &user(&format!("{round}@observed.example"))).await.expect_error(409);
        scim.get("/Users?filter=nonsense").await.expect_error(400);
        scim.with_token(&self.ended).get("/Users").await.expect_error(401);
        scim.with_token("nonsense").get("/Users").await.expect_error(401);
        assert_eq!(scim.delete(&format!("/Users/{person}")).await.status, 204);
    }
}

/// Starts another instance of a service that ends TLS itself, and returns where it is.
fn speaks_tls(stack: &Stack, service: &str) -> String {
    let instance = stack.start_another(service).unwrap();
    // They stay as long as the stack, in which somebody may start the instance again.
    let file = |name: &str| stack.workdir().join(format!("{instance}-{name}.pem")).display().to_string();
    let [certificate, key] = ["certificate", "key"].map(file);
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-batch", "-newkey", "rsa:2048", "-days", "30"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let address = format!("127.0.0.1:{}", port::free().unwrap());
    for (name, value) in [
        ("TIMECLOCK_HTTP_ADDR", &address),
        ("TIMECLOCK_TLS_CERTIFICATE_FILE", &certificate),
        ("TIMECLOCK_TLS_KEY_FILE", &key),
    ] {
        stack.set_environment(&instance, name, value).unwrap();
    }
    stack.restart(&instance).unwrap();
    format!("https://{address}/.well-known/jwks.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_of_every_panel_rule_and_runbook_has_an_answer() {
    let mut everything = Everything::prepare().await;
    let prometheus =
        block_in_place(|| Prometheus::beside(everything.world.stack(), &everything.secure)).unwrap();
    let rules = prometheus.rules().await;
    assert!(!rules.is_empty(), "Prometheus has loaded no rule");

    let mut open: BTreeMap<String, String> = BTreeMap::new();
    let questions = on_dashboards().into_iter().chain(rules).chain(in_runbooks("promql"));
    for (place, question) in questions {
        let parsed = parse(&question).unwrap_or_else(|error| panic!("{place}: {question}: {error}"));
        open.extend(parts(&parsed).into_iter().map(|part| (part, place.clone())));
    }
    let asked = open.len();
    let began = Instant::now();
    loop {
        everything.happen().await;
        let mut unanswered = BTreeMap::new();
        for (expression, place) in open {
            match prometheus.evaluate(&expression).await {
                Answer::Number => {}
                Answer::Nothing => drop(unanswered.insert(expression, place)),
                Answer::Wrong(error) => panic!("{place}: {expression}: {error}"),
            }
        }
        open = unanswered;
        let excused = |expression: &str| WITHOUT_ANSWER.iter().any(|(series, _)| expression.contains(series));
        if open.keys().all(|expression| excused(expression)) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "these have no answer: {open:#?}");
    }
    println!(
        "{asked} expressions, {} excused, {} rounds, {:?}",
        open.len(),
        everything.round,
        began.elapsed()
    );
    for (series, why) in WITHOUT_ANSWER {
        assert!(open.keys().any(|expression| expression.contains(series)), "{series} has answers: not {why}");
    }
}

/// The commands of runbooks that begin so, without that beginning.
fn commands(program: &str) -> Vec<Question> {
    let lines = in_runbooks("sh").into_iter();
    let commands = lines.filter_map(|(page, line)| Some((page, line.strip_prefix(program)?.to_owned())));
    let found: Vec<_> = commands.collect();
    assert!(!found.is_empty(), "no runbook says {program}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runbooks_ask_of_postgres_can_be_asked() {
    let world = World::shared();
    for (page, command) in commands("psql timeclock --command ") {
        // No backend has this number, so ending it ends nobody; nor is anybody called by this id.
        let statement = command.trim_matches('"').replace("PID)", "0)");
        let nobody = "00000000-0000-0000-0000-000000000000";
        let statement = statement.replace("'COMPANY'", &format!("'{nobody}'"));
        let statement = statement.replace("'USER'", &format!("'{nobody}'"));
        let asked = block_in_place(|| world.stack().postgres().sql("timeclock", &statement));
        assert!(asked.is_ok(), "{page}: {statement}: {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runbooks_ask_of_the_operators_program_can_be_asked() {
    let world = World::shared();
    let client = world.operator().create_client(&[])["id"].as_str().unwrap().to_owned();
    let token = world.operator().issue("30d").id;
    for (page, command) in commands("timeclock-operator ") {
        let command = command.replace("'Entra, main tenant'", "Entra");
        let places = [("COMPANY", world.company.id.as_str()), ("CLIENT", &client), ("TOKEN", &token)];
        let words: Vec<_> = command
            .split(' ')
            .map(|word| places.iter().find(|(place, _)| *place == word).map_or(word, |(_, value)| value))
            .collect();
        let asked = block_in_place(|| world.stack().operator(&words));
        assert!(asked.is_ok(), "{page}: {command}: {asked:?}");
    }
}

/// What the command line of NATS (0.4) asks JetStream at a command.
///
/// It is not in Debian, so this is its source as we read it, and not the program.
fn asked_by(command: &str) -> Vec<(String, Value)> {
    let information = |stream: &str| (format!("$JS.API.STREAM.INFO.{stream}"), json!({}));
    match command.split(' ').collect::<Vec<_>>()[..] {
        ["stream", "info", stream] => vec![information(stream)],
        ["stream", "subjects", stream] => {
            let which = json!({ "subjects_filter": ">" });
            vec![information(stream), (format!("$JS.API.STREAM.INFO.{stream}"), which)]
        }
        ["stream", "get", stream, _sequence] => {
            vec![information(stream), (format!("$JS.API.STREAM.MSG.GET.{stream}"), json!({ "seq": 1 }))]
        }
        ["consumer", "info", stream, consumer] => {
            vec![(format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"), json!({}))]
        }
        ["consumer", "report", stream] => {
            vec![information(stream), (format!("$JS.API.CONSUMER.LIST.{stream}"), json!({ "offset": 0 }))]
        }
        ["kv", "info", bucket] => vec![information(&format!("KV_{bucket}"))],
        _ => panic!("nobody knows what `nats {command}` asks"),
    }
}

/// The commands within the sentences of runbooks.
fn in_sentences(program: &str) -> Vec<Question> {
    let mut found = Vec::new();
    let pages = fs::read_dir(repository().join("docs/runbooks")).unwrap().map(|entry| entry.unwrap().path());
    // The index says what the words of the others stand for.
    for page in pages.filter(|page| page.file_stem().is_some_and(|name| name != "README")) {
        let text = fs::read_to_string(&page).unwrap();
        assert!(!text.contains("NATS_USER="), "{}: the bus is asked as the operator alone", page.display());
        let commands = text.split('`').filter_map(|part| part.strip_prefix(program));
        found.extend(commands.map(|command| (page.display().to_string(), command.to_owned())));
    }
    assert!(!found.is_empty(), "no runbook says {program} in a sentence");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runbooks_ask_of_the_bus_may_be_asked_by_the_user_that_they_name() {
    const NO_SUCH_MESSAGE: i64 = 10_037;
    let world = World::shared();
    // The operator's, as the page says.
    let url = block_in_place(|| world.stack().endpoints().nats_url);
    for (page, command) in commands("nats ").into_iter().chain(in_sentences("nats ")) {
        for (subject, question) in asked_by(&command) {
            let answer = bus::ask(&url, &subject, &question).await;
            let answer = answer.unwrap_or_else(|objection| panic!("{page}: {command}: {objection}"));
            let error = &answer["error"];
            assert!(error.is_null() || error["err_code"] == NO_SUCH_MESSAGE, "{page}: {command}: {answer}");
        }
    }
    let page = fs::read_to_string(repository().join("docs/runbooks/README.md")).unwrap();
    assert!(page.contains("nats() { command nats --inbox-prefix=_INBOX.operator \"$@\"; }\n"));
    assert!(page.contains("`NATS_USER=operator`"));
}
