//! TLS, spoken to by OpenSSL and by rustls: what is agreed on, what is refused, and certificates that change.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use actix_web::{HttpRequest, HttpResponse, web};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Serving, Tls, is_over_tls},
    metrics,
    settings::{Environment, Problems, Reader},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

const DEADLINE: Duration = Duration::from_secs(30);
const DAY: u64 = 86_400;
const EXPIRY: &str = "timeclock_certificate_expiry_timestamp_seconds";

/// A kind of key, as `openssl req` is told of it.
const ECDSA: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const RSA: &[&str] = &["-newkey", "rsa:2048"];

/// Where a certificate and its key are.
struct Pair {
    directory: TempDir,
}

impl Pair {
    /// A certificate for localhost that signs itself and is good for so many days.
    fn make(key: &[&str], days: u64) -> Self {
        let pair = Self { directory: tempfile::tempdir().unwrap() };
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-batch", "-subj", "/CN=localhost", "-days", &days.to_string()])
            .args([
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(key)
            .arg("-keyout")
            .arg(pair.key())
            .arg("-out")
            .arg(pair.certificate())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        pair
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.certificate()).unwrap()
    }

    /// Puts a file of another pair in the place of ours.
    fn take(&self, other: &Path, ours: &Path) {
        // As those do it who replace certificates: nobody ever sees half a file.
        let beside = ours.with_extension("new");
        std::fs::copy(other, &beside).unwrap();
        std::fs::rename(beside, ours).unwrap();
    }

    fn become_of(&self, other: &Self) {
        self.take(&other.certificate(), &self.certificate());
        self.take(&other.key(), &self.key());
    }

    fn settings(&self) -> Result<Option<Tls>, Problems> {
        read(&[
            ("TIMECLOCK_TLS_CERTIFICATE_FILE", self.certificate().to_str().unwrap()),
            ("TIMECLOCK_TLS_KEY_FILE", self.key().to_str().unwrap()),
            ("TIMECLOCK_TLS_RELOAD_INTERVAL_MS", "100"),
        ])
    }
}

fn read(variables: &[(&str, &str)]) -> Result<Option<Tls>, Problems> {
    let mut reader = Reader::new(variables.iter().copied().collect::<Environment>());
    let tls = Tls::read(&mut reader);
    reader.finish().map(|_| tls)
}

/// A process with a listener that speaks TLS and answers "safe".
struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    fn start(pair: &Pair, clock: Clock) -> Self {
        let process = Process::new(clock);
        let listener = Listener::bind(&process, "secure", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.address();
        let listener = listener.secured_by(pair.settings().unwrap()).unwrap();
        process.tasks.spawn("listener", |stop| {
            listener.serve(Serving { workers: 1, drain: DEADLINE }, stop, |config| {
                config.default_service(web::to(|request: HttpRequest| async move {
                    HttpResponse::Ok().body(if is_over_tls(&request) { "safe" } else { "open" })
                }));
            })
        });
        Self { process, address }
    }

    /// What `openssl s_client` says of a handshake.
    async fn openssl(&self, options: &[&str]) -> (bool, String) {
        let output = tokio::process::Command::new("openssl")
            .args(["s_client", "-connect", &self.address.to_string()])
            .args(options)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said + &String::from_utf8_lossy(&output.stdout))
    }

    /// The answer to a GET on a connection of its own, and the certificate that was shown.
    async fn get(&self, trusted: &[&Pair]) -> (String, CertificateDer<'static>) {
        let mut roots = RootCertStore::empty();
        for pair in trusted {
            roots.add(pair.der()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer, shown)
    }

    fn metric(&self, sample: &str) -> f64 {
        let text = metrics::text(&self.process.metrics).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(f64::NAN, |value| value.parse().unwrap())
    }

    async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !condition(self) {
            assert!(began.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn refused(&self) -> f64 {
        self.metric("timeclock_certificate_reloads_total{result=\"refused\"}")
    }
}

fn today() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn every_version_and_cipher_suite_that_we_promise_is_agreed_on() {
    const TLS13: [&str; 3] =
        ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
    for (kind, key) in [("ECDSA", ECDSA), ("RSA", RSA)] {
        let server = Server::start(&Pair::make(key, 30), Clock::system());
        for suite in TLS13 {
            let (agreed, said) = server.openssl(&["-tls1_3", "-ciphersuites", suite]).await;
            assert!(agreed && said.contains(&format!("TLSv1.3, Cipher is {suite}")), "{suite}: {said}");
        }
        for suite in ["AES128-GCM-SHA256", "AES256-GCM-SHA384"] {
            let suite = format!("ECDHE-{kind}-{suite}");
            let (agreed, said) = server.openssl(&["-tls1_2", "-cipher", &suite]).await;
            assert!(agreed && said.contains(&format!("TLSv1.2, Cipher is {suite}")), "{suite}: {said}");
        }
        // Everything that a caller has, in the order of the server's preference.
        let (_, said) = server.openssl(&["-tls1_2"]).await;
        assert!(said.contains(&format!("Cipher is ECDHE-{kind}-AES128-GCM-SHA256")), "{said}");
    }
}

#[tokio::test]
async fn what_is_old_or_weak_is_refused() {
    let server = Server::start(&Pair::make(RSA, 30), Clock::system());
    for options in [
        // Without the level, OpenSSL itself would refuse to offer them.
        ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        ["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        ["-tls1_2", "-cipher", "AES256-SHA"],
        ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"],
        ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
        ["-tls1_2", "-cipher", "NULL-SHA256@SECLEVEL=0"],
    ] {
        let (agreed, said) = server.openssl(&options).await;
        // It is the server that says no: protocol_version (70) or handshake_failure (40).
        let alerts = ["SSL alert number 40", "SSL alert number 70"];
        assert!(!agreed && alerts.iter().any(|alert| said.contains(alert)), "{options:?}: {said}");
    }
    assert_eq!(server.metric("timeclock_tls_handshakes_total{result=\"ok\"}"), 0.0);
}

#[tokio::test]
async fn only_http_1_1_is_offered() {
    let server = Server::start(&Pair::make(ECDSA, 30), Clock::system());
    let (_, said) = server.openssl(&["-alpn", "h2,http/1.1"]).await;
    assert!(said.contains("ALPN protocol: http/1.1"), "{said}");
}

#[tokio::test]
async fn plain_http_on_the_port_for_tls_is_turned_away_and_harms_nobody() {
    let pair = Pair::make(ECDSA, 30);
    let server = Server::start(&pair, Clock::system());
    for nonsense in
        [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], b"\r\n", &[0; 4096], &[0x16, 3, 1, 0xff, 0xff]]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // The server may reset a connection on which it has left something unread.
        let _ended = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    }
    server
        .until("all are counted", |server| {
            server.metric("timeclock_tls_handshakes_total{result=\"failed\"}") >= 4.0
        })
        .await;
    let (answer, _) = server.get(&[&pair]).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("safe"), "{answer}");
    assert!(server.process.tasks.running().contains(&"listener"));
}

#[tokio::test]
async fn a_new_certificate_is_used_while_requests_run_and_none_of_them_fails() {
    let (pair, successor) = (Pair::make(ECDSA, 30), Pair::make(RSA, 60));
    let old = Pair { directory: tempfile::tempdir().unwrap() };
    old.become_of(&pair);
    let server = Server::start(&pair, Clock::system());
    let (enough, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let calling = async {
        while !enough.load(Ordering::Relaxed) {
            let (answer, _) = server.get(&[&old, &successor]).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    let replacing = async {
        server.until("some calls", |_| answered.load(Ordering::Relaxed) >= 10).await;
        let before = server.metric(EXPIRY);
        pair.become_of(&successor);
        server.until("the successor is in use", |server| server.metric(EXPIRY) > before).await;
        let so_far = answered.load(Ordering::Relaxed);
        server.until("more calls", |_| answered.load(Ordering::Relaxed) >= so_far + 10).await;
        enough.store(true, Ordering::Relaxed);
    };
    let ((), (), ()) = tokio::join!(calling, calling_too(&server, &old, &successor, &enough), replacing);
    assert_eq!(server.get(&[&old, &successor]).await.1, successor.der());
    assert_eq!(server.refused(), 0.0);
}

/// Another caller, on connections of its own.
async fn calling_too(server: &Server, old: &Pair, successor: &Pair, enough: &AtomicBool) {
    while !enough.load(Ordering::Relaxed) {
        assert!(server.get(&[old, successor]).await.0.ends_with("safe"));
    }
}

#[tokio::test]
async fn a_bad_successor_is_refused_once_and_the_old_certificate_stays() {
    let (pair, other) = (Pair::make(ECDSA, 3_650), Pair::make(ECDSA, 3_650));
    let old = Pair { directory: tempfile::tempdir().unwrap() };
    old.become_of(&pair);
    // Two days on, what is good for one day has expired.
    let server = Server::start(&pair, Clock::manual(today() + 2 * DAY));
    let expiry = server.metric(EXPIRY);

    pair.take(&other.certificate(), &pair.certificate());
    server.until("the key of another certificate is refused", |server| server.refused() == 1.0).await;
    std::fs::write(pair.certificate(), "no certificate").unwrap();
    server.until("what is no certificate is refused", |server| server.refused() == 2.0).await;
    pair.become_of(&Pair::make(ECDSA, 1));
    server.until("an expired certificate is refused", |server| server.refused() == 3.0).await;
    std::fs::remove_file(pair.key()).unwrap();
    server.until("a missing key is refused", |server| server.refused() == 4.0).await;
    assert_eq!(server.get(&[&old]).await.1, old.der());
    assert_eq!(server.metric(EXPIRY), expiry);

    pair.become_of(&other);
    let in_use = "timeclock_certificate_reloads_total{result=\"in_use\"}";
    server.until("a good one is used at last", |server| server.metric(in_use) == 1.0).await;
    assert_eq!(server.get(&[&other]).await.1, other.der());
    assert_eq!(server.refused(), 4.0);
}

#[test]
fn files_that_cannot_be_used_are_problems_with_the_settings() {
    let (pair, other) = (Pair::make(ECDSA, 30), Pair::make(ECDSA, 30));
    let problem = |certificate: &Path, key: &Path| {
        let variables = [
            ("TIMECLOCK_TLS_CERTIFICATE_FILE", certificate.to_str().unwrap()),
            ("TIMECLOCK_TLS_KEY_FILE", key.to_str().unwrap()),
        ];
        read(&variables).unwrap_err().to_string()
    };
    assert!(pair.settings().unwrap().is_some());
    assert!(read(&[]).unwrap().is_none());

    let mismatch = problem(&pair.certificate(), &other.key());
    assert_eq!(mismatch, "TIMECLOCK_TLS_KEY_FILE is the key of another certificate");
    let swapped = problem(&pair.key(), &pair.certificate());
    assert!(swapped.starts_with("TIMECLOCK_TLS_CERTIFICATE_FILE must hold"), "{swapped}");
    let no_key = problem(&pair.certificate(), &pair.certificate());
    assert!(no_key.starts_with("TIMECLOCK_TLS_KEY_FILE must hold"), "{no_key}");
    let missing = problem(Path::new("/nowhere/to/be/found"), &pair.key());
    assert!(missing.starts_with("TIMECLOCK_TLS_CERTIFICATE_FILE cannot be read"), "{missing}");
    let endless = problem(Path::new("/dev/zero"), &pair.key());
    assert!(endless.contains("more than"), "{endless}");

    for (set, asked_for) in [
        ("TIMECLOCK_TLS_CERTIFICATE_FILE", "TIMECLOCK_TLS_KEY_FILE"),
        ("TIMECLOCK_TLS_KEY_FILE", "TIMECLOCK_TLS_CERTIFICATE_FILE"),
    ] {
        let problem = read(&[(set, pair.key().to_str().unwrap())]).unwrap_err().to_string();
        assert_eq!(problem, format!("{asked_for} is required with {set}"));
    }
}
