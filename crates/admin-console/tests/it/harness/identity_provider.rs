//! An identity provider that signs whatever a test wants, at the time of the test's clock. Its XML is written as exclusive
//! canonicalization leaves it, so that signing needs a digest and openssl.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const CANONICAL: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const OBJECT_ID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
const ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/// One that signs with a key of its own.
pub(crate) struct IdentityProvider {
    pub(crate) entity_id: String,
    directory: tempfile::TempDir,
}

/// What it says of somebody.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The request that it answers; `None` when nobody asked.
    pub(crate) request: Option<String>,
    pub(crate) name_id: String,
    pub(crate) object_id: String,
    pub(crate) role: Option<&'static str>,
    /// Where the console is, as it calls itself.
    pub(crate) console_url: String,
    pub(crate) assertion_id: String,
    /// Seconds since the epoch.
    pub(crate) now: u64,
    /// How many seconds ago they gave their password there.
    pub(crate) known_for: u64,
    /// In how many seconds their session there ends.
    pub(crate) session_ends_in: Option<u64>,
}

impl IdentityProvider {
    pub(crate) fn new(entity_id: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=test",
                "-keyout",
            ])
            .arg(directory.path().join("key.pem"))
            .arg("-out")
            .arg(directory.path().join("certificate.pem"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { entity_id: entity_id.to_owned(), directory }
    }

    /// Its key and certificate in PEM. Any other's are as good, where somebody needs one of their own.
    pub(crate) fn key_and_certificate(&self) -> String {
        ["key.pem", "certificate.pem"].map(|name| std::fs::read_to_string(self.file(name)).unwrap()).concat()
    }

    pub(crate) fn metadata(&self) -> String {
        let pem = std::fs::read_to_string(self.file("certificate.pem")).unwrap();
        let certificate: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let service = |name: &str| {
            format!(
                r#"<{name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://login.example/{name}"/>"#
            )
        };
        format!(
            r#"<EntityDescriptor xmlns="{METADATA}" entityID="{}"><IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}"><KeyDescriptor use="signing"><KeyInfo xmlns="{SIGNATURE}"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>{}{}</IDPSSODescriptor></EntityDescriptor>"#,
            self.entity_id,
            service("SingleLogoutService"),
            service("SingleSignOnService"),
        )
    }

    /// A response with a signed assertion, in base64 as a form carries it.
    pub(crate) fn response(&self, said: &Said) -> String {
        let unsigned = self.assertion(said, "");
        let digest = BASE64_STANDARD.encode(Sha256::digest(&unsigned));
        let signed_info = format!(
            r##"<ds:SignedInfo xmlns:ds="{SIGNATURE}"><ds:CanonicalizationMethod Algorithm="{CANONICAL}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{}"><ds:Transforms><ds:Transform Algorithm="{SIGNATURE}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{CANONICAL}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##,
            said.assertion_id
        );
        let value = BASE64_STANDARD.encode(self.sign(signed_info.as_bytes()));
        let signature = format!(
            r#"<ds:Signature xmlns:ds="{SIGNATURE}">{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"#
        );
        let assertion = self.assertion(said, &signature);
        let answers =
            said.request.as_deref().map(|id| format!(r#" InResponseTo="{id}""#)).unwrap_or_default();
        let response = format!(
            r#"<samlp:Response xmlns:samlp="{PROTOCOL}" ID="_r{}" Version="2.0" IssueInstant="{}" Destination="{}/saml/login_check"{answers}><saml:Issuer xmlns:saml="{ASSERTION}">{}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{assertion}</samlp:Response>"#,
            said.assertion_id,
            instant(said.now),
            said.console_url,
            self.entity_id
        );
        BASE64_STANDARD.encode(response)
    }

    /// The query of a signed request to end somebody's sessions.
    pub(crate) fn logout_query(&self, console_url: &str, name_id: &str, now: u64) -> String {
        let xml = format!(
            r#"<samlp:LogoutRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="_logout" Version="2.0" IssueInstant="{}" Destination="{console_url}/saml/logout"><saml:Issuer>{}</saml:Issuer><saml:NameID>{name_id}</saml:NameID></samlp:LogoutRequest>"#,
            instant(now),
            self.entity_id
        );
        let query = format!(
            "SAMLRequest={}&SigAlg={}",
            escaped(&BASE64_STANDARD.encode(stored(xml.as_bytes()))),
            escaped("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
        );
        let signature = BASE64_STANDARD.encode(self.sign(query.as_bytes()));
        format!("{query}&Signature={}", escaped(&signature))
    }

    fn assertion(&self, said: &Said, signature: &str) -> String {
        let answers =
            said.request.as_deref().map(|id| format!(r#"InResponseTo="{id}" "#)).unwrap_or_default();
        let (now, later) = (instant(said.now), instant(said.now + 300));
        let session_end = said.session_ends_in.map_or_else(String::new, |left| {
            format!(r#" SessionNotOnOrAfter="{}""#, instant(said.now + left))
        });
        let mut claims = claim(OBJECT_ID, &said.object_id);
        if let Some(role) = said.role {
            claims.push_str(&claim(ROLE, role));
        }
        format!(
            r#"<saml:Assertion xmlns:saml="{ASSERTION}" ID="{}" IssueInstant="{now}" Version="2.0"><saml:Issuer>{}</saml:Issuer>{signature}<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData {answers}NotOnOrAfter="{later}" Recipient="{}/saml/login_check"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{now}" NotOnOrAfter="{later}"><saml:AudienceRestriction><saml:Audience>{}/saml/metadata</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AttributeStatement>{claims}</saml:AttributeStatement><saml:AuthnStatement AuthnInstant="{}" SessionIndex="{}"{}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement></saml:Assertion>"#,
            said.assertion_id,
            self.entity_id,
            said.name_id,
            said.console_url,
            said.console_url,
            instant(said.now - said.known_for),
            said.assertion_id,
            session_end,
        )
    }

    fn sign(&self, octets: &[u8]) -> Vec<u8> {
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(self.file("key.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(octets).unwrap();
        let signed = openssl.wait_with_output().unwrap();
        assert!(signed.status.success());
        signed.stdout
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.directory.path()).join(name)
    }
}

fn claim(name: &str, value: &str) -> String {
    format!(
        r#"<saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"#
    )
}

fn instant(seconds: u64) -> String {
    let at = chrono::DateTime::from_timestamp(i64::try_from(seconds).unwrap(), 0).unwrap();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// DEFLATE without compression (RFC 1951 §3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => escaped.push(byte.into()),
            _ => write!(escaped, "%{byte:02X}").unwrap(),
        }
        escaped
    })
}
