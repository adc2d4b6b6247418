//! Prometheus: scrapes what it is told to, and says why it does not start. Spoken to in plain HTTP, because no client
//! belongs here.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use backing_servers::{
    exporter,
    prometheus::{Options, Server, promtool},
};

const LIMIT: Duration = Duration::from_secs(60);

fn query(server: &Server, expression: &str) -> String {
    let address = server.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /api/v1/query?query={expression} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_one_server_tells_another_one_scrapes() {
    let told = Server::start(Options::default()).unwrap();
    let target = told.url().replace("http://", "");
    let config = format!(
        "scrape_configs:\n- job_name: other\n  scrape_interval: 100ms\n  scrape_timeout: 100ms\n  static_configs:\n  - targets: ['{target}']\n"
    );
    let scraping = Server::start(Options { config, ..Options::default() }).unwrap();
    let deadline = Instant::now() + LIMIT;
    loop {
        let answer = query(&scraping, "up");
        if answer.contains("\"job\":\"other\"") && answer.contains(",\"1\"]") {
            return;
        }
        assert!(Instant::now() < deadline, "{answer}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_prometheus_that_refuses_its_configuration_shows_why() {
    let config = "scrape_interval: often\n".to_owned();
    let error = Server::start(Options { config, ..Options::default() }).unwrap_err().to_string();
    assert!(error.contains("field scrape_interval not found"), "{error}");
}

#[test]
fn promtool_comes_with_it() {
    let version = promtool().unwrap().arg("--version").output().unwrap();
    assert!(version.status.success(), "{version:?}");
}

fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn exporters_tell_of_disks_and_look_at_others() {
    let disks = page(&exporter::node().unwrap().address(), "/metrics");
    assert!(disks.contains("\nnode_filesystem_size_bytes{"), "{disks}");
    let looked_at = Server::start(Options::default()).unwrap();
    let prober = exporter::blackbox("modules: { web: { prober: http } }\n").unwrap();
    let probe = format!("/probe?module=web&target={}/-/ready", looked_at.url());
    assert!(page(&prober.address(), &probe).contains("\nprobe_success 1\n"));
}

#[test]
fn an_exporter_that_refuses_its_configuration_shows_why() {
    let error =
        exporter::blackbox("modules: { web: { prober: http, telepathy: true } }\n").unwrap_err().to_string();
    assert!(error.contains("telepathy"), "{error}");
}
