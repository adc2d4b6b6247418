//! Any HTTP client with a company's token.

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

/// The URN of RFC 7643's enterprise extension.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const MEDIA_TYPE: &str = "application/scim+json";

/// A caller of `/scim` with one token. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Scim {
    http: Client,
    base: String,
    token: String,
}

impl Scim {
    /// A caller of the service at `base`, for example `http://127.0.0.1:8080/scim`.
    #[must_use]
    pub fn new(base: &str, token: &str) -> Self {
        Self { http: Client::new(), base: base.to_owned(), token: token.to_owned() }
    }

    /// The same caller with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// A request that can be changed before it is sent; `path` begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    /// PUT of a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// PATCH of a user with these operations.
    pub async fn patch_user(&self, id: &str, operations: Value) -> Answer {
        self.try_patch(&format!("/Users/{id}"), &operations).await.expect("nobody answered")
    }

    /// PATCH of a group with these operations.
    pub async fn patch_group(&self, id: &str, operations: Value) -> Answer {
        self.try_patch(&format!("/Groups/{id}"), &operations).await.expect("nobody answered")
    }

    /// PATCH with these operations; `None` when the connection broke or was refused.
    pub async fn try_patch(&self, path: &str, operations: &Value) -> Option<Answer> {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.try_send(Method::PATCH, path, &body).await
    }

    /// Sends a JSON body as Entra labels it.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        Answer::of(self.carrying(method, path, body)).await
    }

    /// As [`Scim::send`]; `None` when the connection broke or was refused.
    pub async fn try_send(&self, method: Method, path: &str, body: &Value) -> Option<Answer> {
        Answer::try_of(self.carrying(method, path, body)).await.ok()
    }

    /// Creates a user who must not exist yet, and returns it.
    pub async fn create_user(&self, user_name: &str) -> Value {
        self.post("/Users", &user(user_name)).await.expect(201)
    }

    /// Creates a group that must not exist yet, without members, and returns it.
    pub async fn create_group(&self, display_name: &str) -> Value {
        self.post("/Groups", &group(display_name)).await.expect(201)
    }

    /// Creates a group of these members, which must not exist yet, and returns it.
    pub async fn create_group_of(&self, display_name: &str, members: &[String]) -> Value {
        let mut group = group(display_name);
        group["members"] = members.iter().map(|member| json!({ "value": member })).collect();
        self.post("/Groups", &group).await.expect(201)
    }

    /// The ids of a group's members, in the order of the ids.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let group = self.get(&format!("/Groups/{group}")).await.expect(200);
        let members = group["members"].as_array().into_iter().flatten();
        let mut ids: Vec<_> = members.map(|member| text(member, "value")).collect();
        ids.sort();
        ids
    }

    /// Everybody whom this filter finds.
    pub async fn find(&self, filter: &str) -> Vec<Value> {
        self.filtered("/Users", filter).await.resources()
    }

    /// Every group that this filter finds.
    pub async fn find_groups(&self, filter: &str) -> Vec<Value> {
        self.filtered("/Groups", filter).await.resources()
    }

    /// The answer to this filter, whatever it is.
    pub async fn filtered(&self, path: &str, filter: &str) -> Answer {
        let encoded: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        self.get(&format!("{path}?filter={encoded}")).await
    }

    fn carrying(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let content_type = "application/scim+json; charset=utf-8";
        self.request(method, path).header("content-type", content_type).body(body.to_string())
    }
}

/// A user as Entra would create them.
#[must_use]
pub fn user(user_name: &str) -> Value {
    json!({
        "schemas": [CORE, ENTERPRISE],
        "externalId": format!("external-{user_name}"),
        "userName": user_name,
        "active": true,
        "displayName": format!("Display {user_name}"),
        "meta": { "resourceType": "User" },
    })
}

/// A group as Entra would create it.
#[must_use]
pub fn group(display_name: &str) -> Value {
    json!({
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": format!("external-{display_name}"),
        "displayName": display_name,
        "meta": { "resourceType": "Group" },
    })
}

/// The version number in a user's `meta.version`.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn version(user: &Value) -> u64 {
    let version = user["meta"]["version"].as_str().unwrap_or_default();
    let digits: String = version.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no version in {user}"))
}

/// A resource's `id`.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn id(resource: &Value) -> String {
    text(resource, "id")
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

impl Answer {
    /// Sends a request that must be answered.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.expect("nobody answered")
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When nobody answers, or not to the end.
    pub async fn try_of(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    /// A header, where it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// When it has another one.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.json()
    }

    /// The resources of a list answer.
    ///
    /// # Panics
    /// When it is no list, or counts wrongly.
    #[must_use]
    pub fn resources(&self) -> Vec<Value> {
        let list = self.expect(200);
        let resources = list["Resources"].as_array().cloned().unwrap_or_else(|| panic!("no list: {list}"));
        assert_eq!(list["itemsPerPage"], resources.len(), "{list}");
        resources
    }

    /// Demands a SCIM error with this status.
    ///
    /// # Panics
    /// When it is anything else.
    pub fn expect_error(&self, status: u16) {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), Some(MEDIA_TYPE), "{self:#?}");
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{self:#?}");
        assert_eq!(body["status"], status.to_string(), "{self:#?}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self:#?}");
    }
}
