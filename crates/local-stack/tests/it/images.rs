//! The commands that images run, run here by the same words: no container engine is needed to know what they do.

use std::{collections::BTreeMap, process::Command};

use local_stack::{Options, Stack, topology::SERVICES};

use crate::{
    deployment::{compose, compose_env, environment, read, root, said, texts},
    eventually, programs, workdir,
};

/// A program of ours as a container would start it, with nothing of this test's environment.
fn contained(program: &str, environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(programs().find(program).unwrap());
    command.env_clear().envs(environment);
    command
}

/// Where a service's second listener is in this stack: `host:port`.
fn observed(stack: &Stack, service: &str) -> String {
    let metrics = stack.endpoints().metrics[service].clone();
    metrics.trim_start_matches("http://").trim_end_matches("/metrics").to_owned()
}

#[test]
fn what_images_run_does_what_compose_relies_on() {
    let workdir = workdir();
    let options = Options { binaries: programs(), throwaway: true, ..Options::new(workdir.path()).unwrap() };
    let stack = Stack::start(options).unwrap();

    health_checks_tell_the_ready_from_others(&stack);
    let token = welcome_makes_one_company_however_often_it_runs(&stack);
    the_emulator_provisions_with_its_token(&stack, &token);
}

fn health_checks_tell_the_ready_from_others(stack: &Stack) {
    let (compose, env) = (compose(), compose_env());
    let ask = |service: &str| {
        let mut settings = environment(&compose["services"][service], &env);
        settings.insert("TIMECLOCK_OBSERVE_ADDR".to_owned(), observed(stack, service));
        contained(service, &settings).arg("healthcheck").output().unwrap()
    };
    for service in &SERVICES {
        let answer = ask(service.name);
        assert!(answer.status.success(), "{}: {}", service.name, said(&answer));
        assert!(said(&answer).contains("\"ready\":true"), "{}", said(&answer));
    }
    stack.nats().stop().unwrap();
    let unready = eventually("unhealthy without NATS", || {
        let answer = ask("scim-gateway");
        (answer.status.code() == Some(1)).then_some(answer)
    });
    assert!(said(&unready).contains("\"ready\":false"), "{}", said(&unready));
    stack.nats().restart().unwrap();
    stack.kill_9("admin-console").unwrap();
    let gone = ask("admin-console");
    assert_eq!(gone.status.code(), Some(1));
    assert!(said(&gone).contains("nobody answers at http://"), "{}", said(&gone));
    stack.restart("admin-console").unwrap();
    stack.wait_until_ready().unwrap();
}

/// Returns the file that holds the token.
fn welcome_makes_one_company_however_often_it_runs(stack: &Stack) -> std::path::PathBuf {
    let compose = compose();
    let service = &compose["services"]["welcome"];
    let [shell, script] = texts(&service["entrypoint"])[..] else { panic!("{service}") };
    let mounted = format!("./deploy/compose{script}:{script}:ro");
    assert!(texts(&service["volumes"]).contains(&mounted.as_str()), "{service}");

    let endpoints = stack.endpoints();
    let (user, address) = endpoints.nats_url.trim_start_matches("nats://").split_once('@').unwrap();
    let password = user.split_once(':').unwrap().1;
    let programs = programs().find("timeclock-operator").unwrap().parent().unwrap().to_owned();
    let directory = stack.workdir().to_owned();
    let welcome = || {
        let mut settings = environment(service, &compose_env());
        let ours = [
            ("TIMECLOCK_NATS_URL", format!("nats://{address}")),
            ("TIMECLOCK_NATS_PASSWORD", password.to_owned()),
            ("WELCOME_DIRECTORY", directory.display().to_string()),
            ("PATH", format!("{}:/usr/bin:/bin", programs.display())),
        ];
        settings.extend(ours.map(|(name, value)| (name.to_owned(), value)));
        let script = root().join("deploy/compose").join(script.trim_start_matches('/'));
        let output = Command::new(shell).arg(script).env_clear().envs(settings).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let first = welcome();
    let token = std::fs::read_to_string(directory.join("token")).unwrap();
    assert!(token.len() > 100, "{token}");
    assert!(!first.contains(token.trim()), "the log of a container holds no secret");
    let said_by = |command: &str| {
        let line = first.lines().find(|line| line.contains(command)).unwrap();
        let words: Vec<&str> = line.split_whitespace().skip_while(|word| *word != "--as").collect();
        stack.operator(&words).unwrap()
    };
    assert_eq!(said_by(" token show ")["token"], token.trim());
    let link = said_by(" administrator invite ")["link"].to_string();
    assert!(link.contains(&endpoints.console_url.unwrap()), "{link}");

    welcome();
    assert_eq!(std::fs::read_to_string(directory.join("token")).unwrap(), token, "another token was made");
    let companies = stack.operator(&["company", "list"]).unwrap();
    let ours = companies
        .as_array()
        .unwrap()
        .iter()
        .filter(|company| company["id"] == "00000000-0000-4000-8000-00000000c047");
    assert_eq!(ours.count(), 1, "{companies}");
    directory.join("token")
}

fn the_emulator_provisions_with_its_token(stack: &Stack, token: &std::path::Path) {
    let compose = compose();
    let service = &compose["services"]["entra-emulator"];
    let mut settings = environment(service, &compose_env());
    let ours = [
        ("ENTRA_TENANT_URL", stack.endpoints().scim_url),
        ("ENTRA_SECRET_TOKEN_FILE", token.display().to_string()),
    ];
    settings.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    let output = contained("entra-emulator", &settings).args(texts(&service["command"])).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn the_migrations_of_compose_are_those_that_services_have() {
    let compose = compose();
    for service in SERVICES.iter().filter(|service| service.roles.is_some()) {
        let migration = &compose["services"][format!("{}-migrate", service.name)];
        let settings = environment(migration, &compose_env());
        // Far from any server it gets as far as the connection, not further.
        let settings =
            settings.into_iter().map(|(name, value)| (name, value.replace("postgres:5432", "127.0.0.1:1")));
        let output =
            contained(service.name, &settings.collect()).args(texts(&migration["command"])).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(
            said(&output).contains("no connection to the database"),
            "{}: {}",
            service.name,
            said(&output)
        );
    }
}

#[test]
fn a_history_is_begun_by_the_container_that_migrates_the_directory() {
    // Those of `serve` are settings that this command refuses.
    let guide = read("docs/guides/backup-and-restore.md");
    assert!(guide.contains("docker compose run --rm directory-service-migrate begin-history"));
    let settings = environment(&compose()["services"]["directory-service-migrate"], &compose_env());
    let settings =
        settings.into_iter().map(|(name, value)| (name, value.replace("postgres:5432", "127.0.0.1:1")));
    let output = contained("directory-service", &settings.collect()).arg("begin-history").output().unwrap();
    assert!(said(&output).contains("connect to Postgres: the database does not answer"), "{}", said(&output));
}

#[test]
fn the_dockerfile_makes_an_image_of_every_program_that_is_deployed() {
    let dockerfile = read("deploy/docker/Dockerfile");
    let programs =
        SERVICES.iter().map(|service| service.name).chain(["timeclock-operator", "entra-emulator"]);
    for program in programs {
        assert!(dockerfile.contains(&format!("--bin {program} ")), "{program} is not built");
        assert!(dockerfile.contains(&format!("COPY --from=build /out/{program} /usr/local/bin/\n")));
        assert!(dockerfile.contains(&format!("ENTRYPOINT [\"/usr/local/bin/{program}\"]\n")));
    }
    for service in &SERVICES {
        let ports: Vec<_> = service.http_port.into_iter().chain([service.observe_port]).collect();
        let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert!(dockerfile.contains(&format!("EXPOSE {ports}\n")), "ports of {}", service.name);
    }
    let version = format!("ARG BUILD_VERSION={}\n", env!("CARGO_PKG_VERSION"));
    assert!(dockerfile.contains(&version), "the images say that they are of another version");
}
