//! What no honest identity provider sends, refused before any signature is looked at.

use chrono::Utc;
use saml_protocol::{document::Fault, refusal::Refusal};

use crate::{
    peer::{EXPECTED, NAME, accept, between, encoded, genuine, idp, ourselves, refusal, replaced},
    signing::{Template, unsigned},
};

fn with_prolog(prolog: &str, xml: &str) -> String {
    let body = xml.trim_start_matches("<?xml version=\"1.0\"?>");
    format!("{prolog}{body}")
}

fn at(text: &str) -> Result<(), Refusal> {
    ourselves().accept(&idp(), text, EXPECTED, Utc::now()).map(|_| ())
}

#[test]
fn a_doctype_is_refused_and_with_it_every_entity() {
    for doctype in [
        "<!DOCTYPE Response>",
        "<!DOCTYPE r [<!ENTITY name \"administrator\">]>",
        "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/fetched.dtd\">",
        "<!DOCTYPE r [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/\"> %p;]>",
        "<!DOCTYPE r [<!ATTLIST Assertion x ID #IMPLIED>]>",
    ] {
        assert_eq!(refusal(&with_prolog(doctype, &genuine())), "doctype", "{doctype}");
    }
    // Also one that stands where none belongs.
    let inside = genuine().replacen("<ns0:Status>", "<!DOCTYPE x><ns0:Status>", 1);
    assert_eq!(refusal(&inside), "doctype");
}

#[test]
fn an_entity_that_nobody_declared_is_refused() {
    let xml = genuine();
    for name in ["&name;", "&nbsp;", "&#0;", "&#x1;", "&#xFFFE;", "&#xD800;", "&#99999999;", "&amp", "&"] {
        assert_eq!(refusal(&xml.replace(NAME, name)), "not_xml", "{name}");
    }
}

/// CVE-2017-11427 and its kin: the signature does not cover comments, and readers stop at them.
#[test]
fn a_comment_in_a_name_is_refused() {
    for comment in ["<!---->", "<!-- x -->"] {
        let xml = genuine().replace(NAME, &format!("administrator@contoso.com{comment}.evil.example"));
        assert_eq!(refusal(&xml), "comment");
        let signed = unsigned().replace(NAME, &format!("administrator@contoso.com{comment}.evil.example"));
        assert_eq!(refusal(&Template::default().sign(&signed)), "comment");
    }
    assert_eq!(refusal(&(genuine() + "<!-- behind everything -->")), "comment");
}

/// CVE-2025-29775: a digest of which a comment hides a part.
#[test]
fn a_comment_in_a_digest_is_refused() {
    let xml = genuine();
    let digest = between(&xml, "<ns2:DigestValue>", "</ns2:DigestValue>").to_owned();
    let forged = digest.replace("<ns2:DigestValue>", "<ns2:DigestValue><!--AAAA-->");
    assert_eq!(refusal(&replaced(&xml, &digest, &forged)), "comment");
    let nested =
        digest.replace("<ns2:DigestValue>", "<ns2:DigestValue><x>AAAA</x>").replace("<x>", "<x xmlns=\"\">");
    assert_eq!(refusal(&replaced(&xml, &digest, &nested)), "signature_shape");
}

/// CVE-2025-29774: a second `SignedInfo`, of which one is verified and the other is read.
#[test]
fn a_second_signed_info_is_refused() {
    let xml = genuine();
    let info = between(&xml, "<ns2:SignedInfo>", "</ns2:SignedInfo>").to_owned();
    assert_eq!(refusal(&replaced(&xml, &info, &info.repeat(2))), "signature_shape");
}

#[test]
fn cdata_and_processing_instructions_are_refused() {
    let xml = genuine();
    assert_eq!(refusal(&xml.replace(NAME, &format!("<![CDATA[{NAME}]]>"))), "cdata");
    for instruction in
        ["<?x y?>", "<?xml-stylesheet href=\"http://127.0.0.1:9/\"?>", "<?xml version=\"1.0\"?>"]
    {
        let inside = xml.replacen("<ns0:Status>", &format!("{instruction}<ns0:Status>"), 1);
        assert_eq!(refusal(&inside), "processing_instruction");
    }
}

#[test]
fn other_versions_and_encodings_of_xml_are_refused() {
    for prolog in [
        "<?xml version=\"1.1\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>",
        "<?xml encoding=\"utf-8\"?>",
    ] {
        assert_eq!(refusal(&with_prolog(prolog, &genuine())), "not_xml", "{prolog}");
    }
    accept(&with_prolog("<?xml version='1.0' encoding='UTF-8'?>\n", &genuine())).unwrap();
    accept(&with_prolog("", &genuine())).unwrap();
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let xml = genuine();
    for broken in [
        String::new(),
        "text".to_owned(),
        format!("{xml}<more/>"),
        format!("{xml}text"),
        xml.trim_end().trim_end_matches("</ns0:Response>").to_owned(),
        xml.replacen("</ns1:Subject>", "</ns1:Assertion>", 1),
        xml.replacen("<ns1:Subject>", "<nobody:Subject>", 1),
        xml.replacen("<ns1:Subject>", "<ns1:Subject nobody:x=\"\">", 1),
        xml.replacen("Version=\"2.0\"", "Version=\"2.0\" Version=\"2.0\"", 1),
        xml.replacen("Version=\"2.0\"", "Version=2.0", 1),
        xml.replacen("Version=\"2.0\"", "Version=\"<\"", 1),
        xml.replace(NAME, "\u{1}"),
    ] {
        assert_eq!(refusal(&broken), "not_xml", "{broken}");
    }
}

#[test]
fn what_is_not_utf_8_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

    let xml = genuine();
    let mut bytes = xml.clone().into_bytes();
    let name = xml.find(NAME).unwrap();
    bytes[name] = 0xff;
    assert_eq!(at(&BASE64.encode(&bytes)), Err(Refusal::Document(Fault::NotXml)));
    let utf16: Vec<u8> = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(at(&BASE64.encode(utf16)).unwrap_err().as_str(), "not_xml");
}

#[test]
fn what_is_not_base64_or_not_all_of_it_is_refused() {
    let text = encoded(&genuine());
    for cut in [0, 1, 2, 3] {
        let cut = text.trim_end_matches('=').get(..text.len() / 8 * 4 + cut).unwrap();
        let refused = at(cut).unwrap_err();
        assert!(["not_encoded", "not_xml"].contains(&refused.as_str()), "{refused:?}");
    }
    for odd in ["%", "PHNhbWw", "&lt;", "\u{fffd}"] {
        assert_eq!(at(odd), Err(Refusal::NotEncoded), "{odd}");
    }
    assert_eq!(at("").unwrap_err().as_str(), "not_xml");
}

#[test]
fn what_is_too_large_too_deep_or_too_many_is_refused() {
    let xml = genuine();
    let with = |content: &str| refusal(&xml.replacen("<ns0:Status>", &format!("{content}<ns0:Status>"), 1));
    assert_eq!(with(&" ".repeat(256 * 1024)), "too_large");
    assert_eq!(at(&"A".repeat(1024 * 1024)).unwrap_err().as_str(), "too_large");
    assert_eq!(with(&("<x>".repeat(32) + &"</x>".repeat(32))), "too_deep");
    assert_eq!(with(&("<x>".repeat(50_000))), "too_deep");
    assert_eq!(with(&"<x/>".repeat(5_001)), "too_many_elements");
    let many = |name: fn(usize) -> String, count: usize| (0..count).map(name).collect::<String>();
    let attribute = |count| format!("<x {}/>", many(|number| format!("a{number}=\"\" "), count));
    assert_eq!(with(&attribute(65)), "too_many_xml_attributes");
    assert_eq!(with(&attribute(20_000)), "too_many_xml_attributes");
    let namespaces = format!("<x {}/>", many(|number| format!("xmlns:n{number}=\"urn:n\" "), 10_000));
    assert_eq!(with(&namespaces), "too_many_xml_attributes");
    assert_eq!(with(&format!("<x a=\"{}\"/>", "a".repeat(16 * 1024 + 1))), "too_large");
    // Canonicalization repeats it for every element that uses it.
    assert_eq!(with(&format!("<x xmlns=\"urn:{}\"/>", "x".repeat(256))), "too_large");
}

#[test]
fn doubled_identifiers_are_refused() {
    let xml = genuine();
    let id = format!(" ID=\"{}\"", crate::signing::id_of(between(&xml, "<ns1:Assertion", ">")));
    for element in [
        format!("<x{id}/>"),
        format!("<x{}/>", id.replacen("ID", "Id", 1)),
        format!("<x{}/>", id.replacen("ID", "id", 1)),
        format!("<x{}/>", id.replacen("ID", "AssertionID", 1)),
        format!("<x{}/>", id.replacen("ID", "xml:id", 1)),
    ] {
        let doubled = xml.replacen("<ns0:Status>", &format!("{element}<ns0:Status>"), 1);
        assert_eq!(refusal(&doubled), "duplicate_id", "{element}");
    }
}
