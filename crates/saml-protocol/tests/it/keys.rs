//! Whose signature it is.

use std::process::Command;

use backing_servers::identity_provider::{Options, Server};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{TimeDelta, Utc};
use saml_protocol::{Certificate, IdentityProvider, Refusal};
use serde_json::json;

use crate::{
    peer::{
        EXPECTED, NAME, accept, between, encoded, genuine, idp, ourselves, refusal, replaced, response,
        server, usual,
    },
    signing::{Template, by_key, unsigned},
};

fn second_key() -> Template {
    let (key, certificate) = server().key_files("second");
    Template { key: by_key(&key, &certificate), ..Template::default() }
}

/// The identity provider with both of its certificates, or with the second only.
fn with_certificates(names: &[&str]) -> IdentityProvider {
    let certificates = names.iter().map(|name| {
        let pem = std::fs::read_to_string(server().key_files(name).1).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Certificate::from_der(&BASE64.decode(base64).unwrap()).unwrap()
    });
    IdentityProvider { certificates: certificates.collect(), ..idp() }
}

#[test]
fn a_key_that_the_metadata_does_not_have_proves_nothing() {
    assert_eq!(refusal(&second_key().sign(&unsigned())), "wrong_key");
}

#[test]
fn a_strangers_key_proves_nothing_whatever_certificate_it_shows() {
    let signed = second_key().sign(&unsigned());
    let strange = between(&signed, "<ds:X509Certificate>", "</ds:X509Certificate>").to_owned();
    let genuine = genuine();
    let ours = between(&genuine, "<ns2:X509Certificate>", "</ns2:X509Certificate>").replace("ns2:", "ds:");
    assert_eq!(refusal(&replaced(&signed, &strange, &ours)), "bad_signature");
    let without = Template { key_info: String::new(), ..second_key() };
    assert_eq!(refusal(&without.sign(&unsigned())), "bad_signature");
}

#[test]
fn both_certificates_count_while_they_are_rolled_over_and_it_is_known_which_it_was() {
    let both = with_certificates(&["first", "second"]);
    for (template, certificate) in [(Template::default(), 0), (second_key(), 1)] {
        let xml = template.sign(&unsigned());
        let assertion = ourselves().accept(&both, &encoded(&xml), EXPECTED, Utc::now()).unwrap();
        assert_eq!(assertion.signed_with, both.certificates[certificate].fingerprint_sha256);
    }
}

#[test]
fn after_the_roll_over_the_old_certificate_proves_nothing() {
    let second_only = with_certificates(&["second"]);
    let refused = ourselves().accept(&second_only, &encoded(&genuine()), EXPECTED, Utc::now());
    assert_eq!(refused, Err(Refusal::WrongKey));
}

#[test]
fn a_provider_without_certificates_proves_nothing() {
    let none = IdentityProvider { certificates: Vec::new(), ..idp() };
    assert_eq!(ourselves().accept(&none, &encoded(&genuine()), EXPECTED, Utc::now()), Err(Refusal::WrongKey));
}

#[test]
fn an_expired_certificate_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("old.key"), folder.path().join("old.crt"));
    let script = r#"
import datetime, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old")])
now = datetime.datetime.now(datetime.timezone.utc)
old = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    .not_valid_before(now - datetime.timedelta(days=9)).not_valid_after(now - datetime.timedelta(days=1))
    .sign(key, hashes.SHA256()))
open(sys.argv[2], "wb").write(old.public_bytes(serialization.Encoding.PEM))
"#;
    std::fs::copy(server().key_files("first").0, &key).unwrap();
    let made =
        Command::new(server().python()).args(["-c", script]).args([&key, &certificate]).status().unwrap();
    assert!(made.success());
    let template = Template { key: by_key(&key, &certificate), ..Template::default() };
    let pem = std::fs::read_to_string(&certificate).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let old = Certificate::from_der(&BASE64.decode(base64).unwrap()).unwrap();
    assert!(old.has_expired(Utc::now()) && !old.has_expired(Utc::now() - TimeDelta::days(2)));

    let fingerprint = old.fingerprint_sha256.clone();
    let not_after = old.not_after;
    let idp = IdentityProvider { certificates: vec![old], ..idp() };
    let refused = ourselves().accept(&idp, &encoded(&template.sign(&unsigned())), EXPECTED, Utc::now());
    assert_eq!(refused, Err(Refusal::CertificateExpired { fingerprint: fingerprint.clone(), not_after }));
    assert!(refused.unwrap_err().detail().contains(&fingerprint));
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public");
    for secret in [server().key_files("first").1.clone(), public.clone()] {
        std::fs::write(&public, &idp().certificates[0].der).unwrap();
        let template = Template {
            method: "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256".to_owned(),
            key: vec!["--hmackey".to_owned(), secret.display().to_string()],
            key_info: String::new(),
            ..Template::default()
        };
        assert_eq!(refusal(&template.sign(&unsigned())), "weak_algorithm");
    }
}

#[test]
fn what_was_changed_after_signing_is_refused() {
    let xml = genuine();
    for (from, to) in [
        (NAME, "administrator@contoso.com"),
        (">auditor<", ">owner<"),
        ("Payroll", "Directors"),
        ("id-", "xd-"),
    ] {
        let changed = xml.replace(from, to);
        assert_ne!(changed, xml);
        assert_eq!(refusal(&changed), "bad_signature", "{from} became {to}");
    }
}

#[test]
fn a_broken_signature_of_the_response_spoils_a_good_one_of_the_assertion() {
    let xml = response(&json!({"sign_response": true}));
    let changed = xml.replacen("Status><", "Status> <", 1);
    assert_eq!(refusal(&changed), "bad_signature");
}

/// Another company has another identity provider, whose every response is genuine.
#[test]
fn another_companys_identity_provider_proves_nothing_here() {
    let other = Server::start(Options::default()).unwrap();
    other.tell("/service-providers", &ourselves().metadata()).unwrap();
    let theirs = IdentityProvider::read_metadata(&other.metadata().unwrap()).unwrap();
    let xml = other.tell("/respond", &usual().to_string()).unwrap();
    let at = |idp: &IdentityProvider, xml: &str| ourselves().accept(idp, &encoded(xml), EXPECTED, Utc::now());
    at(&theirs, &xml).unwrap();
    assert_eq!(at(&idp(), &xml).unwrap_err().as_str(), "wrong_issuer");
    // And when it says that it is the other one.
    let mut wish = usual();
    wish["issuer"] = json!(idp().entity_id);
    let posing = other.tell("/respond", &wish.to_string()).unwrap();
    let posing = posing.replace(&theirs.entity_id, &idp().entity_id);
    assert_eq!(at(&idp(), &posing), Err(Refusal::WrongKey));
}

/// Found by local names, as the library does, but not by us.
#[test]
fn what_only_the_library_refuses_is_refused_by_its_word_whichever_certificate_it_was() {
    let statement = "<ns1:AuthnStatement ";
    let ended = format!("{statement}xmlns:x=\"urn:x\" x:SessionNotOnOrAfter=\"2001-01-01T00:00:00Z\" ");
    let xml = replaced(&unsigned(), statement, &ended);
    let both = with_certificates(&["first", "second"]);
    for template in [Template::default(), second_key()] {
        let refused = ourselves().accept(&both, &encoded(&template.sign(&xml)), EXPECTED, Utc::now());
        assert_eq!(refused, Err(Refusal::Library("library_profile")));
        assert!(refused.unwrap_err().detail().contains("library_profile"));
    }
}

#[test]
fn ecdsa_is_accepted() {
    for (curve, hash) in [("prime256v1", "sha256"), ("secp384r1", "sha384")] {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = (folder.path().join("ec.key"), folder.path().join("ec.crt"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                &format!("ec_paramgen_curve:{curve}"),
                "-nodes",
            ])
            .args(["-subj", "/CN=ec", "-days", "2", "-out"])
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let template = Template {
            method: format!("http://www.w3.org/2001/04/xmldsig-more#ecdsa-{hash}"),
            key: by_key(&key, &certificate),
            ..Template::default()
        };
        let pem = std::fs::read_to_string(&certificate).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let certificate = Certificate::from_der(&BASE64.decode(base64).unwrap()).unwrap();
        let idp = IdentityProvider { certificates: vec![certificate], ..idp() };
        let xml = template.sign(&unsigned());
        ourselves().accept(&idp, &encoded(&xml), EXPECTED, Utc::now()).unwrap();
        // The provider's own key fits no more.
        assert_eq!(accept(&xml), Err(Refusal::WrongKey));
    }
}
