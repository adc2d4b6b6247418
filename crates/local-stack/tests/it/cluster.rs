//! What the services make on a bus of several servers.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use backing_servers::nats::{Cluster, Server};
use local_stack::{Options, Stack};
use serde_json::Value;

use crate::{
    deployment::{compose, environment},
    eventually, programs, workdir,
};

/// Everything that services make, and who makes it.
const MADE: [(&str, &[&str]); 2] = [
    ("directory-service", &["PROVISIONING", "DIRECTORY", "CALLS", "KV_SCHEMAS"]),
    ("token-service", &["KV_TOKENS"]),
];

struct Running {
    process: Child,
    log: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if std::thread::panicking() {
            // The file goes with the test; only here does somebody still see what the service waited for.
            let log = std::fs::read(&self.log).unwrap_or_default();
            std::io::stderr().write_all(&log).ok();
        }
    }
}

/// A service of this stack, as compose would start it, on the cluster in place of the stack's bus.
fn start(stack: &Stack, service: &str, cluster: &Cluster) -> Running {
    let secrets = std::fs::read(stack.workdir().join("secrets.json")).unwrap();
    let secrets: BTreeMap<String, String> = serde_json::from_slice(&secrets).unwrap();
    let postgres = stack.endpoints().postgres_url;
    let postgres = postgres.rsplit_once('@').unwrap().1.split_once('/').unwrap().0;
    let settings = environment(&compose()["services"][service], &secrets).into_iter();
    let mut settings: BTreeMap<_, _> =
        settings.map(|(name, value)| (name, value.replace("postgres:5432", postgres))).collect();
    for (name, value) in [
        ("TIMECLOCK_NATS_URL", cluster.url()),
        ("TIMECLOCK_NATS_REPLICAS", "3".to_owned()),
        ("TIMECLOCK_OBSERVE_ADDR", "127.0.0.1:0".to_owned()),
    ] {
        settings.insert(name.to_owned(), value);
    }
    if settings.contains_key("TIMECLOCK_HTTP_ADDR") {
        settings.insert("TIMECLOCK_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned());
    }
    let log_path = stack.workdir().join(format!("{service}-on-the-cluster.log"));
    let log = File::create(&log_path).unwrap();
    let mut command = Command::new(programs().find(service).unwrap());
    command
        .arg("serve")
        .env_clear()
        .envs(settings)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    Running { process: command.spawn().unwrap(), log: log_path }
}

/// What JetStream says about a stream.
fn stream(server: &Server, name: &str) -> Value {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(
        stream,
        "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB $JS.API.STREAM.INFO.{name} answer 0\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let answered = lines.find(|line| line.starts_with("MSG answer"));
    answered.and_then(|_| serde_json::from_str(&lines.next()?).ok()).unwrap_or_default()
}

#[test]
fn a_cluster_keeps_everything_that_services_make_as_often_as_they_are_told() {
    let workdir = workdir();
    let options = Options { binaries: programs(), throwaway: true, ..Options::new(workdir.path()).unwrap() };
    let stack = Stack::start(options).unwrap();
    let cluster = Cluster::start(3).unwrap();
    let any = cluster.members().first().unwrap();
    let mut running = Vec::new();
    for (service, streams) in MADE {
        stack.kill_9(service).unwrap();
        running.push(start(&stack, service, &cluster));
        for name in streams {
            let replicas = eventually(name, || stream(any, name)["config"]["num_replicas"].as_u64());
            assert_eq!(replicas, 3, "{name}");
        }
    }
}
