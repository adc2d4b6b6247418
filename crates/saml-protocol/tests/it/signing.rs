//! Signing altered messages with the identity provider's own key, so that only what was altered is wrong with them.
//!
//! xmlsec1 signs what its template says; the templates are ours.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::peer::{between, replaced, response, server};

pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";
const RESPONSE: &str = "urn:oasis:names:tc:SAML:2.0:protocol:Response";

/// What a signature says of itself.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) canonicalization: String,
    pub(crate) method: String,
    pub(crate) digest: String,
    pub(crate) transforms: String,
    /// The references' addresses; the assertion's own when there are none.
    pub(crate) references: Vec<String>,
    pub(crate) key_info: String,
    /// The options by which xmlsec1 takes its key.
    pub(crate) key: Vec<String>,
}

impl Default for Template {
    fn default() -> Self {
        let (key, certificate) = server().key_files("first");
        Self {
            canonicalization: EXCLUSIVE.to_owned(),
            method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256".to_owned(),
            digest: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            transforms: transform(ENVELOPED) + &transform(EXCLUSIVE),
            references: Vec::new(),
            key_info: "<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>".to_owned(),
            key: by_key(&key, &certificate),
        }
    }
}

pub(crate) fn by_key(key: &Path, certificate: &Path) -> Vec<String> {
    vec!["--privkey-pem".to_owned(), format!("{},{}", key.display(), certificate.display())]
}

pub(crate) fn transform(algorithm: &str) -> String {
    format!(r#"<ds:Transform Algorithm="{algorithm}"/>"#)
}

impl Template {
    pub(crate) fn xml(&self, id: &str) -> String {
        let own = vec![format!("#{id}")];
        let addresses = if self.references.is_empty() { &own } else { &self.references };
        let references: String = addresses
            .iter()
            .map(|address| {
                format!(
                    r#"<ds:Reference URI="{address}"><ds:Transforms>{}</ds:Transforms><ds:DigestMethod Algorithm="{}"/><ds:DigestValue/></ds:Reference>"#,
                    self.transforms, self.digest
                )
            })
            .collect();
        format!(
            r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{}"/><ds:SignatureMethod Algorithm="{}"/>{references}</ds:SignedInfo><ds:SignatureValue/>{}</ds:Signature>"#,
            self.canonicalization, self.method, self.key_info
        )
    }

    /// The response with its assertion signed as the template says.
    pub(crate) fn sign(&self, xml: &str) -> String {
        sign_by(&self.key, &self.templated(xml))
    }

    /// The same, with empty places where digest and signature would be: for what xmlsec1 itself would not do.
    pub(crate) fn templated(&self, xml: &str) -> String {
        let assertion = between(xml, "<ns1:Assertion", "</ns1:Issuer>");
        let signature = self.xml(id_of(assertion));
        replaced(xml, assertion, &format!("{assertion}{signature}"))
    }

    /// The same for a message of Entra's shape, whose names have other prefixes.
    pub(crate) fn sign_entras(&self, xml: &str) -> String {
        let assertion = between(xml, "<Assertion", "</Issuer>");
        let signature = self.xml(id_of(assertion));
        sign_by(&self.key, &replaced(xml, assertion, &format!("{assertion}{signature}")))
    }
}

/// The identifier of the first element of a text.
pub(crate) fn id_of(xml: &str) -> &str {
    let attribute = between(xml, " ID=\"", "\" ");
    attribute.trim_start_matches(" ID=\"").trim_end_matches("\" ")
}

fn sign_by(key: &[String], xml: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.xml"), folder.path().join("out.xml"));
    fs::write(&input, xml).unwrap();
    let mut xmlsec1 = Command::new("xmlsec1");
    xmlsec1.arg("--sign").args(key).args(["--id-attr:ID", ASSERTION, "--id-attr:ID", RESPONSE]);
    let signed = xmlsec1.arg("--output").arg(&output).arg(&input).output().unwrap();
    assert!(signed.status.success(), "{}\n{xml}", String::from_utf8_lossy(&signed.stderr));
    fs::read_to_string(&output).unwrap()
}

/// A usual response that nobody has signed, in the spelling of those that xmlsec1 has signed.
pub(crate) fn unsigned() -> String {
    response(&json!({"sign_assertion": false})).replace(" />", "/>")
}

/// A usual response that was altered before it was signed.
pub(crate) fn altered(from: &str, to: &str) -> String {
    Template::default().sign(&replaced(&unsigned(), from, to))
}
