//! Somebody at the console without a browser: keeps cookies, sends forms as its pages do, follows nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use local_stack::company::Company;
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};

/// What the console answered.
#[derive(Debug)]
pub struct Page {
    /// Its status.
    pub status: u16,
    /// Its text.
    pub body: String,
}

/// A visitor with cookies of their own.
pub struct Visitor {
    client: Client,
    console: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Visitor {
    /// Somebody who has been nowhere yet.
    ///
    /// # Panics
    /// When there is no HTTP client.
    #[must_use]
    pub fn new(console: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { client, console: console.to_owned(), cookies: Mutex::default() }
    }

    /// A company's administrator, signed in.
    ///
    /// # Panics
    /// When they are not let in.
    pub async fn signed_in(console: &str, company: &Company) -> Self {
        let visitor = Self::new(console);
        let [email, password] = [&company.admin_email, &company.admin_password]
            .map(|text| text.as_deref().expect("a company with an administrator"));
        let answer = visitor.post("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        visitor
    }

    /// Asks for a page.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn get(&self, path: &str) -> Page {
        self.send(self.client.get(format!("{}{path}", self.console))).await
    }

    /// Begins to read what does not end by itself.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn open(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.console));
        request.header("cookie", self.kept()).send().await.expect("an answer")
    }

    /// Asks for a page as a part of a trace.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn get_in_trace(&self, path: &str, traceparent: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.console));
        self.send(request.header("traceparent", traceparent)).await
    }

    /// Sends a form, with the token of this session's forms.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = if self.has_session() { self.form_token().await } else { String::new() };
        let fields = [fields, &[("csrf_token", token.as_str())]].concat();
        let form: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let request = self.client.post(format!("{}{path}", self.console)).header("origin", &self.console);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form.join("&"))).await
    }

    /// What the forms of this session send back.
    ///
    /// # Panics
    /// When the account's page has no form.
    pub async fn form_token(&self) -> String {
        let page = self.get("/account").await.body;
        let after = page.split_once("name=\"csrf_token\" value=\"").expect("a form").1;
        after.split('"').next().unwrap_or_default().to_owned()
    }

    /// The values of all cookies.
    ///
    /// # Panics
    /// When another thread has panicked.
    #[must_use]
    pub fn cookies(&self) -> Vec<String> {
        self.cookies.lock().expect("cookies").values().cloned().collect()
    }

    fn has_session(&self) -> bool {
        self.cookies.lock().expect("cookies").keys().any(|name| name.ends_with("session"))
    }

    /// The cookies, as a browser sends them.
    fn kept(&self) -> String {
        let cookies = self.cookies.lock().expect("cookies");
        let kept: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        kept.join("; ")
    }

    async fn send(&self, request: RequestBuilder) -> Page {
        let answer = request.header("cookie", self.kept()).send().await.expect("an answer");
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().ok().and_then(|set| set.split(';').next()?.split_once('='));
            let (name, value) = pair.expect("a cookie");
            self.cookies.lock().expect("cookies").insert(name.to_owned(), value.to_owned());
        }
        let status = answer.status().as_u16();
        Page { status, body: answer.text().await.expect("a text") }
    }
}

/// The addresses with an id in them that a page links to (`href`), or sends forms to (`action`).
#[must_use]
pub fn addresses(page: &str, attribute: &str) -> BTreeSet<String> {
    let before = format!(" {attribute}=\"");
    let values = page.split(&before).skip(1).filter_map(|rest| rest.split('"').next());
    let has_id = |path: &&str| path.split(['/', '?', '#', '=']).any(|part| part.len() == 36);
    values.filter(has_id).map(|value| value.replace("&#38;", "&").replace("&amp;", "&")).collect()
}

fn encode(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
