//! What stands between the console and a provider that we did not write: it keeps what the console sends, leads on to
//! whichever provider a test wants, and answers in its place where a test says so. The provider calls itself by the address
//! at which it is asked, so its issuer is this one's.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// A request of the console's.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) body: String,
}

#[derive(Clone)]
pub(crate) struct Recorder {
    port: u16,
    provider: Arc<AtomicU16>,
    asked: Arc<Mutex<Vec<Asked>>>,
    instead: Arc<Mutex<HashMap<String, (&'static str, String)>>>,
    meanwhile: Arc<Mutex<HashMap<String, Act>>>,
}

type Act = Arc<dyn Fn() + Send + Sync>;

impl Recorder {
    pub(crate) async fn start(issuer: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let recorder = Self {
            port: listener.local_addr().unwrap().port(),
            provider: Arc::new(AtomicU16::new(port_of(issuer))),
            asked: Arc::default(),
            instead: Arc::default(),
            meanwhile: Arc::default(),
        };
        let listening = recorder.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let recorder = listening.clone();
                tokio::spawn(async move { recorder.pass_on(connection).await });
            }
        });
        recorder
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From here on, this provider answers.
    pub(crate) fn lead_to(&self, issuer: &str) {
        self.provider.store(port_of(issuer), Ordering::Relaxed);
    }

    /// From here on, this path is answered so: a status line, and a body.
    pub(crate) fn answer(&self, path: &str, status: &'static str, body: &str) {
        self.instead.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    /// From here on, the provider answers this path again.
    pub(crate) fn answer_no_more(&self, path: &str) {
        self.instead.lock().unwrap().remove(path);
    }

    /// From here on, this happens before this path is answered.
    pub(crate) fn before(&self, path: &str, act: impl Fn() + Send + Sync + 'static) {
        self.meanwhile.lock().unwrap().insert(path.to_owned(), Arc::new(act));
    }

    /// What was sent until now is nobody's matter.
    pub(crate) fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// What the console sent to this path, in order.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path == path).cloned().collect()
    }

    async fn pass_on(&self, mut console: TcpStream) -> Option<()> {
        let mut request = Vec::new();
        let asked = loop {
            if console.read_buf(&mut request).await.ok()? == 0 {
                return None;
            }
            if let Some(asked) = whole(&request) {
                break asked;
            }
        };
        let instead = self.instead.lock().unwrap().get(&asked.path).cloned();
        let act = self.meanwhile.lock().unwrap().get(&asked.path).cloned();
        if let Some(act) = act {
            tokio::task::block_in_place(|| act());
        }
        self.asked.lock().unwrap().push(asked);
        if let Some((status, body)) = instead {
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            return console.write_all(answer.as_bytes()).await.ok();
        }
        let provider = SocketAddr::from((Ipv4Addr::LOCALHOST, self.provider.load(Ordering::Relaxed)));
        let mut provider = TcpStream::connect(provider).await.ok()?;
        provider.write_all(&request).await.ok()?;
        copy_bidirectional(&mut console, &mut provider).await.ok().map(drop)
    }
}

/// The request, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Asked> {
    let (head, body) = std::str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let path = head.split(' ').nth(1)?.to_owned();
    (body.len() >= length).then(|| Asked { path, body: body.to_owned() })
}

fn port_of(issuer: &str) -> u16 {
    issuer.rsplit(':').next().unwrap().parse().unwrap()
}
