//! A browser, as far as the console can tell: it keeps cookies, says where its forms come from, and follows nothing.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use reqwest::{Client, Method, RequestBuilder, header, redirect::Policy};

use super::PASSWORD;

/// What the console answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it sends the browser.
    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }
}

/// Keeps cookies by name.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    client: Client,
    http: SocketAddr,
    pub(crate) cookies: Arc<Mutex<BTreeMap<String, String>>>,
    /// The address that our proxy says it comes from.
    pub(crate) address: String,
}

impl Browser {
    pub(crate) fn new(http: SocketAddr) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, http, cookies: Arc::default(), address: "198.51.100.7".to_owned() }
    }

    /// The console's own origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The value of the session's cookie, if there is one.
    pub(crate) fn session(&self) -> Option<String> {
        self.cookies.lock().unwrap().get("session").cloned()
    }

    pub(crate) fn set_session(&self, value: &str) {
        self.cookies.lock().unwrap().insert("session".to_owned(), value.to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form as our own pages do: from here, and with the session's token if there is one.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let token = self.csrf_token();
        let mut fields = fields.to_vec();
        fields.extend(token.as_deref().map(|token| ("csrf_token", token)));
        let origin = self.origin();
        self.post_from(path, &fields, &[("origin", &origin), ("sec-fetch-site", "same-origin")]).await
    }

    /// Sends exactly these fields with exactly these headers.
    pub(crate) async fn post_from(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Seen {
        let mut request = self.request(Method::POST, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        let body = body.collect::<Vec<_>>().join("&");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.send(request).await
    }

    /// Signs in with [`PASSWORD`].
    pub(crate) async fn sign_in(&self, email: &str) -> Seen {
        self.post("/sign-in", &[("email", email), ("password", PASSWORD)]).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = self.cookies.lock().unwrap();
        let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.client
            .request(method, format!("http://{}{path}", self.http))
            .header("cookie", cookies.join("; "))
            .header("x-forwarded-for", &self.address)
            .header("user-agent", "it")
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Seen {
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if set.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Seen { status, headers, body: answer.text().await.unwrap() }
    }

    /// What the forms of this session hold: derived as the console does, so that a test need not have seen a form.
    pub(crate) fn csrf_token(&self) -> Option<String> {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        use sha2::{Digest as _, Sha256};
        let cookie = self.session()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!("csrf {cookie}"))))
    }
}

fn encode(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
