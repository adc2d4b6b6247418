//! A SCIM server in memory, just wide enough for what Entra sends, that remembers every request and can be told to
//! misbehave. Requests are read from the socket by hand, so that tests see headers exactly as they were sent.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const TOKEN: &str = "the-secret-token";

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub request_line: String,
    pub headers: Vec<String>,
    pub body: Option<Value>,
}

impl Received {
    pub fn method(&self) -> &str {
        self.request_line.split(' ').next().unwrap()
    }

    pub fn target(&self) -> &str {
        self.request_line.split(' ').nth(1).unwrap()
    }

    /// `POST /scim/Users`, without the query.
    pub fn route(&self) -> String {
        format!("{} {}", self.method(), self.target().split('?').next().unwrap())
    }

    pub fn is_probe(&self) -> bool {
        // The GUID of the probe is the only filter value that is not somebody's name.
        self.target().starts_with("/scim/Users?filter=userName") && !self.target().contains("%40")
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub never: bool,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/scim+json", body.to_string())
    }

    pub fn text(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status, headers, body: body.into(), never: false }
    }

    pub fn error(status: u16, detail: &str) -> Self {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
        Self::json(status, &json!({"schemas": schemas, "status": status.to_string(), "detail": detail}))
    }

    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.headers.push(("Retry-After", seconds.to_string()));
        self
    }

    pub fn never() -> Self {
        Self { status: 0, headers: vec![], body: String::new(), never: true }
    }
}

type Interceptor = Box<dyn FnMut(&Received) -> Option<Reply> + Send>;
type Distortion = Box<dyn Fn(&mut Value) + Send>;

#[derive(Default)]
struct State {
    users: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    minted: u32,
    received: Vec<Received>,
    interceptor: Option<Interceptor>,
    distortion: Option<Distortion>,
    token: Option<&'static str>,
}

/// The server; it stops when dropped.
pub struct Target {
    pub url: String,
    state: Arc<Mutex<State>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Target {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/scim", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let listening = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Self { url, state, listening }
    }

    /// Lets `interceptor` answer in the server's place whenever it returns something.
    pub fn intercept(&self, interceptor: impl FnMut(&Received) -> Option<Reply> + Send + 'static) {
        self.state.lock().unwrap().interceptor = Some(Box::new(interceptor));
    }

    /// Accepts this token instead of the usual one.
    pub fn expect_token(&self, token: &'static str) {
        self.state.lock().unwrap().token = Some(token);
    }

    pub fn behave(&self) {
        let mut state = self.state.lock().unwrap();
        state.interceptor = None;
        state.distortion = None;
    }

    /// Changes every user on its way out.
    pub fn distort(&self, distortion: impl Fn(&mut Value) + Send + 'static) {
        self.state.lock().unwrap().distortion = Some(Box::new(distortion));
    }

    /// What arrived since this was last asked.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.lock().unwrap().received)
    }

    pub fn users(&self) -> Vec<Value> {
        self.state.lock().unwrap().users.values().cloned().collect()
    }

    pub fn user(&self, id: &str) -> Option<Value> {
        self.state.lock().unwrap().users.get(id).cloned()
    }

    pub fn group(&self, id: &str) -> Option<Value> {
        self.state.lock().unwrap().groups.get(id).cloned()
    }

    /// Loses a user behind Entra's back.
    pub fn lose_user(&self, id: &str) {
        self.state.lock().unwrap().users.remove(id).unwrap();
    }

    /// Puts a user there behind Entra's back.
    pub fn add_user(&self, user: Value) {
        let id = user["id"].as_str().unwrap().to_owned();
        self.state.lock().unwrap().users.insert(id, user);
    }
}

async fn serve(socket: TcpStream, state: Arc<Mutex<State>>) {
    let (reader, mut writer) = socket.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(received) = receive(&mut reader).await {
        let reply = answer(&mut state.lock().unwrap(), &received);
        if reply.never {
            std::future::pending::<()>().await;
        }
        let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if writer.write_all(format!("{head}\r\n{}", reply.body).as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn receive(reader: &mut BufReader<OwnedReadHalf>) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let length =
        lines.iter().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    // A form for an access token stands as its text.
    let body = (length > 0).then(|| {
        serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8(body).unwrap()))
    });
    Some(Received { request_line: lines.remove(0), headers: lines, body })
}

fn answer(state: &mut State, received: &Received) -> Reply {
    state.received.push(received.clone());
    if let Some(reply) = state.interceptor.as_mut().and_then(|interceptor| interceptor(received)) {
        return reply;
    }
    if !received.headers.contains(&format!("Authorization: Bearer {}", state.token.unwrap_or(TOKEN))) {
        return Reply::error(401, "who are you?");
    }
    let path = received.target().strip_prefix("/scim/").unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (kind, id) = path.split_once('/').unwrap_or((path, ""));
    let mut reply = answer_resource(state, received, kind, id, &decoded(query));
    if let (Some(distortion), "Users") = (&state.distortion, kind) {
        let mut body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        if let Some(resources) = body.get_mut("Resources").and_then(Value::as_array_mut) {
            resources.iter_mut().for_each(distortion);
        } else if body.get("id").is_some() {
            distortion(&mut body);
        } else {
            return reply;
        }
        reply.body = body.to_string();
    }
    reply
}

fn answer_resource(state: &mut State, received: &Received, kind: &str, id: &str, query: &str) -> Reply {
    let (resources, name) =
        if kind == "Users" { (&mut state.users, "userName") } else { (&mut state.groups, "displayName") };
    match (received.method(), resources.get_mut(id)) {
        ("GET", _) if id.is_empty() => {
            let wanted = query.split('"').nth(1).unwrap();
            let found: Vec<_> = resources.values().filter(|r| is_named(r, name, wanted)).collect();
            Reply::json(
                200,
                &json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                    "totalResults": found.len(), "Resources": found,
                }),
            )
        }
        ("POST", _) => {
            let mut resource = received.body.clone().unwrap();
            if resources.values().any(|other| is_named(other, name, resource[name].as_str().unwrap())) {
                return Reply::error(409, "already in use");
            }
            state.minted += 1;
            let id = format!("{}_{}", kind.to_lowercase(), state.minted);
            resource["id"] = json!(id);
            resources.insert(id, resource.clone());
            Reply::json(201, &resource)
        }
        (_, None) => Reply::error(404, "no such resource"),
        ("GET", Some(resource)) => {
            let mut resource = resource.clone();
            if query.contains("excludedAttributes=members") {
                resource.as_object_mut().unwrap().remove("members");
            }
            Reply::json(200, &resource)
        }
        ("PATCH", Some(resource)) => {
            for operation in received.body.as_ref().unwrap()["Operations"].as_array().unwrap() {
                apply(resource, operation);
            }
            if kind == "Users" { Reply::json(200, resource) } else { Reply::text(204, "x", "") }
        }
        ("DELETE", Some(_)) => {
            resources.remove(id);
            for group in state.groups.values_mut() {
                change_members(group, "members", &json!([{"value": id}]), true);
            }
            Reply::text(204, "x", "")
        }
        (method, Some(_)) => panic!("Entra never sends {method}"),
    }
}

fn is_named(resource: &Value, attribute: &str, name: &str) -> bool {
    resource[attribute].as_str().unwrap().to_lowercase() == name.to_lowercase()
}

/// `+` is a space in a query, and every `%` is followed by two digits.
fn decoded(query: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = query.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn apply(resource: &mut Value, operation: &Value) {
    let removes = operation["op"].as_str().unwrap().eq_ignore_ascii_case("remove");
    let value = &operation["value"];
    match operation["path"].as_str() {
        None => value.as_object().unwrap().iter().for_each(|(path, value)| set(resource, path, value)),
        Some(path) if path.starts_with("members") => change_members(resource, path, value, removes),
        Some(path) => set(resource, path, value),
    }
}

fn change_members(group: &mut Value, path: &str, value: &Value, removes: bool) {
    let mut ids: Vec<&str> =
        value.as_array().into_iter().flatten().map(|member| member["value"].as_str().unwrap()).collect();
    ids.extend(path.split('"').nth(1));
    let object = group.as_object_mut().unwrap();
    let members = object.entry("members").or_insert_with(|| json!([])).as_array_mut().unwrap();
    members.retain(|member| !ids.contains(&member["value"].as_str().unwrap()));
    if !removes {
        members.extend(ids.into_iter().map(|id| json!({"value": id})));
    }
}

fn set(resource: &mut Value, path: &str, value: &Value) {
    if let Some(attribute) = path.strip_prefix(&format!("{ENTERPRISE}:")) {
        let value = if attribute == "manager" { json!({"value": value}) } else { value.clone() };
        child(resource, ENTERPRISE)[attribute] = value;
    } else if let Some((attribute, rest)) = path.split_once("[type eq \"") {
        let (kind, sub) = rest.split_once("\"].").unwrap();
        let object = resource.as_object_mut().unwrap();
        let list = object.entry(attribute).or_insert_with(|| json!([])).as_array_mut().unwrap();
        if !list.iter().any(|element| element["type"] == kind) {
            list.push(json!({"type": kind}));
        }
        list.iter_mut().find(|element| element["type"] == kind).unwrap()[sub] = value.clone();
    } else if let Some((attribute, sub)) = path.split_once('.') {
        child(resource, attribute)[sub] = value.clone();
    } else if path == "active" {
        resource["active"] = json!(value == &json!(true) || value == &json!("True"));
    } else {
        resource[path] = value.clone();
    }
}

fn child<'a>(resource: &'a mut Value, name: &str) -> &'a mut Value {
    resource.as_object_mut().unwrap().entry(name).or_insert_with(|| Value::Object(Map::new()))
}
