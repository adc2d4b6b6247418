//! What a signature may make us do: the algorithms of a list, over the assertion and nothing else.

use crate::{
    peer::{genuine, refusal, replaced, response},
    signing::{ENVELOPED, EXCLUSIVE, Template, transform, unsigned},
};
use serde_json::json;

const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";

fn refused(template: &Template) -> &'static str {
    refusal(&template.templated(&unsigned()))
}

#[test]
fn sha_1_is_refused_though_it_is_signed_with_the_right_key() {
    let signed = response(&json!({"sign_alg": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}));
    assert_eq!(refusal(&signed), "weak_algorithm");
    assert_eq!(refusal(&response(&json!({"digest_alg": SHA1}))), "weak_algorithm");
}

#[test]
fn md5_and_algorithms_that_nobody_knows_are_refused() {
    for method in [
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
        "urn:nobody:knows",
        "",
    ] {
        assert_eq!(refused(&Template { method: method.to_owned(), ..Template::default() }), "weak_algorithm");
    }
    for digest in ["http://www.w3.org/2001/04/xmldsig-more#md5", SHA1, ""] {
        assert_eq!(refused(&Template { digest: digest.to_owned(), ..Template::default() }), "weak_algorithm");
    }
}

#[test]
fn a_shortened_mac_is_refused() {
    let xml = genuine();
    let method = r#"<ns2:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>"#;
    let shortened =
        method.replace("/>", "><ns2:HMACOutputLength>1</ns2:HMACOutputLength></ns2:SignatureMethod>");
    assert_eq!(refusal(&replaced(&xml, method, &shortened)), "weak_algorithm");
}

#[test]
fn a_reference_to_anything_but_the_assertion_is_refused() {
    for address in [
        "",
        "#",
        "#xpointer(/)",
        "#xpointer(id('x'))",
        "http://127.0.0.1:9/fetched",
        "ftp://127.0.0.1:9/fetched",
        "file:///etc/passwd",
        "#somewhere-else",
    ] {
        let template = Template { references: vec![address.to_owned()], ..Template::default() };
        assert_eq!(refused(&template), "foreign_reference", "{address}");
    }
}

#[test]
fn several_references_are_refused_however_many() {
    for count in [2, 600] {
        let template = Template { references: vec!["#x".to_owned(); count], ..Template::default() };
        assert_eq!(refused(&template), "several_references", "{count}");
    }
}

#[test]
fn a_signature_over_nothing_is_refused() {
    let xml = genuine();
    let reference = crate::peer::between(&xml, "<ns2:Reference", "</ns2:Reference>").to_owned();
    assert_eq!(refusal(&replaced(&xml, &reference, "")), "several_references");
}

#[test]
fn transformations_that_saml_does_not_allow_are_refused() {
    let usual = transform(ENVELOPED) + &transform(EXCLUSIVE);
    let with = |algorithm: &str, content: &str| {
        format!(r#"<ds:Transform Algorithm="{algorithm}">{content}</ds:Transform>"#)
    };
    let xpath = with("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>count(//*) > 0</ds:XPath>");
    let filter = "<XPath xmlns=\"http://www.w3.org/2002/06/xmldsig-filter2\" Filter=\"subtract\">//*</XPath>";
    for transforms in [
        String::new(),
        transform(ENVELOPED),
        transform(EXCLUSIVE),
        transform(EXCLUSIVE) + &transform(ENVELOPED),
        transform(ENVELOPED) + &transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        transform(ENVELOPED) + &transform("http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
        usual.clone() + &transform("http://www.w3.org/2000/09/xmldsig#base64"),
        transform(ENVELOPED) + &xpath,
        xpath + &usual,
        transform(ENVELOPED) + &with("http://www.w3.org/2002/06/xmldsig-filter2", filter),
        transform(ENVELOPED) + &with("http://www.w3.org/TR/1999/REC-xslt-19991116", "<x xmlns=\"urn:x\"/>"),
        usual.repeat(2),
        transform(ENVELOPED) + &with(EXCLUSIVE, "<ds:XPath>1</ds:XPath>"),
    ] {
        let template = Template { transforms: transforms.clone(), ..Template::default() };
        assert_eq!(refused(&template), "forbidden_transform", "{transforms}");
    }
}

#[test]
fn three_thousand_transformations_are_refused_before_the_first() {
    let template = Template { transforms: transform(EXCLUSIVE).repeat(3_000), ..Template::default() };
    assert_eq!(refused(&template), "forbidden_transform");
}

#[test]
fn another_canonicalization_is_refused() {
    for canonicalization in [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "",
    ] {
        let template = Template { canonicalization: canonicalization.to_owned(), ..Template::default() };
        assert_eq!(refused(&template), "forbidden_transform");
    }
}

#[test]
fn prefixes_to_keep_are_no_transformation() {
    let prefixes = format!(r#"<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="xs xsi"/>"#);
    let kept = format!(r#"<ds:Transform Algorithm="{EXCLUSIVE}">{prefixes}</ds:Transform>"#);
    let template = Template { transforms: transform(ENVELOPED) + &kept, ..Template::default() };
    crate::peer::accept(&template.sign(&unsigned())).unwrap();
}

/// Canonicalization looks every prefix up for every element, before anything is proved.
#[test]
fn prefixes_to_keep_are_few_and_short_and_nothing_else() {
    let list = |prefixes: &str| {
        format!(r#"<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{prefixes}"/>"#)
    };
    let transformed = |prefixes: &str| {
        let kept = format!(r#"<ds:Transform Algorithm="{EXCLUSIVE}">{}</ds:Transform>"#, list(prefixes));
        let template = Template { transforms: transform(ENVELOPED) + &kept, ..Template::default() };
        template.templated(&unsigned())
    };
    let canonicalized = |prefixes: &str| {
        let method = format!(r#"<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>"#);
        let kept = method.replace("/>", &format!(">{}</ds:CanonicalizationMethod>", list(prefixes)));
        replaced(&Template::default().templated(&unsigned()), &method, &kept)
    };
    let names = |count: usize| (0..count).map(|number| format!("p{number} ")).collect::<String>();
    for few in ["", "#default", &names(16), &"x".repeat(256)] {
        // Nobody signed it, which is the next thing to find.
        assert_eq!(refusal(&transformed(few)), "bad_signature", "{few}");
        assert_eq!(refusal(&canonicalized(few)), "bad_signature", "{few}");
    }
    for many in [&names(17), &names(2_000), &"x".repeat(257), &" ".repeat(257), "x:y", "1", "&#xe9;", "#"] {
        assert_eq!(refusal(&transformed(many)), "forbidden_transform", "{many}");
        assert_eq!(refusal(&canonicalized(many)), "forbidden_transform", "{many}");
    }
}

/// The library takes an attribute by its local name, and the first of two.
#[test]
fn an_attribute_that_hides_behind_a_prefix_is_refused() {
    let xml = genuine();
    for (tag, name) in [
        ("<ns2:CanonicalizationMethod ", "Algorithm"),
        ("<ns2:SignatureMethod ", "Algorithm"),
        ("<ns2:DigestMethod ", "Algorithm"),
        ("<ns2:Reference ", "URI"),
    ] {
        let hidden = format!("{tag}xmlns:x=\"urn:x\" x:{name}=\"urn:hidden\" ");
        assert_eq!(refusal(&replaced(&xml, tag, &hidden)), "signature_shape", "{tag}");
    }
}

#[test]
fn a_key_that_would_have_to_be_fetched_is_refused() {
    for key_info in [
        r#"<ds:KeyInfo><ds:RetrievalMethod URI="http://127.0.0.1:9/key"/></ds:KeyInfo>"#,
        r#"<ds:KeyInfo><x xmlns="urn:x"/></ds:KeyInfo>"#,
        "<ds:KeyInfo/><ds:Object/>",
        "<ds:KeyInfo/><ds:KeyInfo/>",
    ] {
        let template = Template { key_info: key_info.to_owned(), ..Template::default() };
        assert_eq!(refused(&template), "signature_shape", "{key_info}");
    }
}

#[test]
fn two_signatures_of_one_assertion_are_one_too_many() {
    let xml = genuine();
    let signature = crate::peer::between(&xml, "<ns2:Signature", "</ns2:Signature>").to_owned();
    let second = signature.replacen(" Id=\"", " Id=\"second-", 1);
    assert_eq!(refusal(&replaced(&xml, &signature, &format!("{signature}{second}"))), "wrapped");
}
