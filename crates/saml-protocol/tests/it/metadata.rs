//! What metadata must say, and what is passed over.

use saml_protocol::{IdentityProvider, MetadataError, document::Fault};

use crate::peer::{between, idp, ourselves, replaced, server};

fn theirs() -> String {
    server().metadata().unwrap()
}

#[test]
fn pysaml2s_metadata_is_read() {
    let idp = idp();
    assert_eq!(idp.entity_id, server().metadata_url());
    assert_eq!(idp.single_sign_on_url, format!("{}/sso", server().url()));
    assert_eq!(idp.single_logout_url, Some(format!("{}/slo", server().url())));
    assert_eq!(idp.certificates.len(), 1);
    assert!(idp.certificates[0].subject.contains("first key"));
    assert_eq!(idp.certificates[0].fingerprint_sha256.len(), 64);
}

/// The shape of Entra's: a byte order mark, a signature, the roles of another protocol before SAML's, the same
/// certificate several times.
fn entras(certificates: &[&str]) -> String {
    let key = |certificate: &str| {
        format!(
            "<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        )
    };
    let keys: String = certificates.iter().map(|certificate| key(certificate)).collect();
    "\u{feff}".to_owned() + &include_str!("../../testdata/entra-metadata.xml").replace("{keys}", &keys)
}

fn first_certificate() -> String {
    let xml = theirs();
    let element = between(&xml, "X509Certificate>", "<").to_owned();
    element.trim_start_matches("X509Certificate>").trim_end_matches('<').to_owned()
}

#[test]
fn entras_metadata_is_read_and_what_is_not_saml_is_passed_over() {
    let certificate = first_certificate();
    let idp = IdentityProvider::read_metadata(&entras(&[&certificate, &certificate])).unwrap();
    assert_eq!(idp.entity_id, "https://sts.windows.net/5d8a7b6c-1e2f-4a3b-9c4d-5e6f7a8b9c0d/");
    let address = "https://login.microsoftonline.com/5d8a7b6c-1e2f-4a3b-9c4d-5e6f7a8b9c0d/saml2";
    assert_eq!(idp.single_sign_on_url, address);
    assert_eq!(idp.single_logout_url.as_deref(), Some(address));
    assert_eq!(idp.certificates.len(), 1);
}

#[test]
fn our_own_metadata_is_none_of_an_identity_provider() {
    let refused = IdentityProvider::read_metadata(&ourselves().metadata());
    assert_eq!(refused, Err(MetadataError::NotAnIdentityProvider));
    for other in [
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"/>",
    ] {
        assert_eq!(IdentityProvider::read_metadata(other), Err(MetadataError::NotAnIdentityProvider));
    }
    let saml_1 = theirs().replace("SAML:2.0:protocol", "SAML:1.1:protocol");
    assert_eq!(IdentityProvider::read_metadata(&saml_1), Err(MetadataError::NotAnIdentityProvider));
}

#[test]
fn people_are_sent_to_safe_addresses_only() {
    let xml = theirs();
    let address = format!("{}/sso", server().url());
    for (other, is_safe) in [
        ("https://login.example/sso", true),
        ("https://login.example:8443/sso?tenant=1", true),
        ("http://localhost:9/sso", true),
        ("http://[::1]:9/sso", true),
        ("http://login.example/sso", false),
        ("http://127.0.0.1.evil.example/", false),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("//login.example/sso", false),
        ("https://user:word@login.example/", false),
        ("https://login.example/#fragment", false),
        ("https://login.example/a b", false),
        ("https://", false),
        ("", false),
    ] {
        let read = IdentityProvider::read_metadata(&replaced(&xml, &address, other));
        let expected =
            if is_safe { Ok(other.to_owned()) } else { Err(MetadataError::UnsafeUrl("SingleSignOnService")) };
        assert_eq!(read.map(|idp| idp.single_sign_on_url), expected, "{other}");
    }
}

#[test]
fn metadata_without_what_is_needed_is_refused_with_what_is_missing() {
    let xml = theirs();
    let entity_id = format!("entityID=\"{}\"", server().metadata_url());
    let sign_on = between(&xml, "<ns0:SingleSignOnService", "/>").to_owned();
    let keys = between(&xml, "<ns0:KeyDescriptor", "</ns0:KeyDescriptor>").to_owned();
    let read = |xml: &str| IdentityProvider::read_metadata(xml).unwrap_err();
    assert_eq!(read(&replaced(&xml, &entity_id, "")), MetadataError::EntityId);
    assert_eq!(read(&replaced(&xml, &entity_id, "entityID=\"\"")), MetadataError::EntityId);
    assert_eq!(read(&replaced(&xml, &sign_on, "")), MetadataError::NoSignOnUrl);
    assert_eq!(
        read(&replaced(&xml, &sign_on, &sign_on.replace("HTTP-Redirect", "HTTP-POST"))),
        MetadataError::NoSignOnUrl
    );
    assert_eq!(read(&replaced(&xml, &keys, "")), MetadataError::NoCertificate);
    let encryption = replaced(&xml, "use=\"signing\"", "use=\"encryption\"");
    assert_eq!(read(&encryption), MetadataError::NoCertificate);
    for odd in ["", "AAAA", "%", "MIIB"] {
        let refused = read(&replaced(&xml, &first_certificate(), odd));
        assert!(matches!(refused, MetadataError::Certificate(_)), "{odd}: {refused}");
    }
    // A key without a use is for signatures too.
    IdentityProvider::read_metadata(&replaced(&xml, " use=\"signing\"", "")).unwrap();
}

#[test]
fn keys_that_are_too_weak_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for new_key in ["rsa:1024", "rsa:2040", "rsa:2047", "ed25519"] {
        let certificate = folder.path().join("weak.crt");
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", new_key, "-nodes", "-subj", "/CN=weak", "-out"])
            .arg(&certificate)
            .arg("-keyout")
            .arg(folder.path().join("weak.key"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let pem = std::fs::read_to_string(&certificate).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let refused = IdentityProvider::read_metadata(&entras(&[&base64])).unwrap_err();
        assert!(refused.to_string().contains("2,048"), "{new_key}: {refused}");
    }
}

#[test]
fn hostile_metadata_is_refused_as_messages_are() {
    let xml = theirs();
    let read = |xml: &str| IdentityProvider::read_metadata(xml).unwrap_err();
    let doctype = format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{xml}");
    assert_eq!(read(&doctype), MetadataError::Document(Fault::Doctype));
    let long = replaced(&xml, "<ns0:SingleLogout", &format!("{}<ns0:SingleLogout", " ".repeat(512 * 1024)));
    assert!(matches!(read(&long), MetadataError::Document(Fault::TooLarge(_))));
    // Other products annotate theirs.
    let annotated = replaced(&xml, "<ns0:SingleLogout", "<!-- for logouts --><ns0:SingleLogout");
    IdentityProvider::read_metadata(&annotated).unwrap();
}

#[test]
fn our_metadata_says_what_we_want() {
    let ours = ourselves().metadata();
    for part in [
        "entityID=\"https://console.example/saml/metadata\"",
        "WantAssertionsSigned=\"true\"",
        "AuthnRequestsSigned=\"false\"",
        "Location=\"https://console.example/saml/login_check\"",
        "Location=\"https://console.example/saml/logout\"",
    ] {
        assert!(ours.contains(part), "{part}: {ours}");
    }
}
