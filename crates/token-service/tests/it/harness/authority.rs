//! A tenant's authority: keys over HTTP, and assertions signed by them.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};

/// An RSA key and the id under which it is published.
pub(crate) struct SigningKey {
    pub(crate) id: String,
    pub(crate) private: RsaPrivateKey,
}

impl SigningKey {
    pub(crate) fn generate(id: &str) -> Self {
        let private = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        Self { id: id.to_owned(), private }
    }

    pub(crate) fn jwk(&self) -> Value {
        let text = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        json!({
            "kty": "RSA", "use": "sig", "kid": self.id, "n": text(self.private.n()), "e": text(self.private.e()),
            "x5c": ["ignored"], "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
        })
    }

    /// These claims, signed by this key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let der = self.private.to_pkcs1_der().unwrap();
        signed(Algorithm::RS256, &self.id, &EncodingKey::from_rsa_der(der.as_bytes()), claims)
    }
}

pub(crate) fn signed(algorithm: Algorithm, key_id: &str, key: &EncodingKey, claims: &Value) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(key_id.to_owned());
    #[expect(clippy::disallowed_methods, reason = "Entra does not keep to our doors")]
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

/// What the authority answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Keys(Vec<Value>),
    /// These bytes after the status line and headers of a good answer.
    Body(String),
    Redirect(String),
    /// It hangs up.
    Nothing,
}

pub(crate) struct Authority {
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
    paths: Arc<Mutex<Vec<String>>>,
}

impl Authority {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let authority = Self {
            url,
            answer: Arc::new(Mutex::new(Answer::Keys(Vec::new()))),
            asked: Arc::default(),
            paths: Arc::default(),
        };
        let (answer, asked, paths) =
            (Arc::clone(&authority.answer), Arc::clone(&authority.asked), Arc::clone(&authority.paths));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                asked.fetch_add(1, Ordering::SeqCst);
                paths.lock().unwrap().push(request.split(' ').nth(1).unwrap_or_default().to_owned());
                let (head, body) = match &*answer.lock().unwrap() {
                    Answer::Keys(keys) => ("200 OK".to_owned(), json!({ "keys": keys }).to_string()),
                    Answer::Body(body) => ("200 OK".to_owned(), body.clone()),
                    Answer::Redirect(to) => (format!("302 Found\r\nLocation: {to}"), String::new()),
                    Answer::Nothing => continue,
                };
                let length = body.len();
                // Whoever has read enough may be gone.
                write!(
                    stream,
                    "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
                .ok();
            }
        });
        authority
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it was asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.paths.lock().unwrap().clone()
    }
}
