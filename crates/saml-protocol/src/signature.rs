//! Whether the signatures of a response are ones that may be verified at all: where they stand, what they are over,
//! and by which algorithms.
//!
//! Verifying executes what a signature says: it fetches, transforms and digests, before anything is proved. So what it
//! says is limited to what SAML allows (core §5.4) before that begins.

use crate::{
    document::{Element, Vocabulary, is_plain_name},
    limits::{MAX_KEPT_PREFIXES, MAX_KEPT_PREFIXES_BYTES},
    refusal::{Refusal, repeated},
};

pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(crate) const RSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384";
pub(crate) const RSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
pub(crate) const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub(crate) const ECDSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
const SIGNATURES: [&str; 5] = [RSA_SHA256, RSA_SHA384, RSA_SHA512, ECDSA_SHA256, ECDSA_SHA384];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// What a `KeyInfo` may say. Nothing of it is believed; the others would have to be fetched or computed.
const KEY_INFO: [&str; 3] = ["X509Data", "KeyName", "KeyValue"];

/// Checks that the assertion, and at most the response besides, has a signature over itself and nothing else, and that
/// there is no other signature anywhere.
pub(crate) fn check(response: &Element, assertion: &Element) -> Result<(), Refusal> {
    // Whatever its namespace: readers have been found that look at local names only.
    let everywhere = response.all().filter(|element| element.name == "Signature").count();
    let on_response = response.children(Vocabulary::Signature, "Signature").count();
    let on_assertion = assertion.children(Vocabulary::Signature, "Signature").count();
    if on_response > 1 || on_assertion > 1 || everywhere != on_response + on_assertion {
        return Err(Refusal::Wrapped);
    }
    if on_assertion == 0 {
        return Err(Refusal::Unsigned);
    }
    for signed in [response, assertion] {
        if let Some(signature) = signed.only_child(Vocabulary::Signature, "Signature") {
            check_signature(signature, signed)?;
        }
    }
    Ok(())
}

/// The certificate that a signature names, which only serves to say that it is a stranger's.
pub(crate) fn named_certificates(response: &Element) -> impl Iterator<Item = &str> {
    let certificates = response.all().filter(|part| part.is(Vocabulary::Signature, "X509Certificate"));
    certificates.filter_map(Element::text)
}

fn check_signature(signature: &Element, signed: &Element) -> Result<(), Refusal> {
    let shape = Refusal::SignatureShape;
    // The library takes `x:Algorithm` for `Algorithm`, whichever stands first.
    if signature.all().any(|part| part.has_prefixed_attributes) {
        return Err(shape("no attributes with a prefix"));
    }
    let names: Vec<&str> = names_within(signature, Vocabulary::Signature).ok_or(shape("foreign elements"))?;
    if !matches!(
        names.as_slice(),
        ["SignedInfo", "SignatureValue"] | ["SignedInfo", "SignatureValue", "KeyInfo"]
    ) {
        return Err(shape("SignedInfo, SignatureValue and KeyInfo, once each and nothing else"));
    }
    if let Some(info) = signature.only_child(Vocabulary::Signature, "KeyInfo") {
        let parts = names_within(info, Vocabulary::Signature).ok_or(shape("foreign elements in KeyInfo"))?;
        if !parts.iter().all(|part| KEY_INFO.contains(part)) {
            return Err(shape("a KeyInfo with X509Data, KeyName or KeyValue only"));
        }
    }
    let info = signature.only_child(Vocabulary::Signature, "SignedInfo").ok_or(shape("one SignedInfo"))?;
    check_signed_info(info, signed)
}

fn check_signed_info(info: &Element, signed: &Element) -> Result<(), Refusal> {
    let [canonicalization, method, references @ ..] = info.children.as_slice() else {
        return Err(Refusal::SignatureShape("a SignedInfo with its three parts"));
    };
    let [reference] = references else { return Err(Refusal::SeveralReferences) };
    check_part(canonicalization, "CanonicalizationMethod")?;
    check_part(method, "SignatureMethod")?;
    check_part(reference, "Reference")?;
    if algorithm(canonicalization) != EXCLUSIVE || !has_only_prefixes(canonicalization) {
        return Err(Refusal::ForbiddenTransform);
    }
    // A parameter (HMACOutputLength) would be one for algorithms that are not accepted.
    if !SIGNATURES.contains(&algorithm(method)) || !method.children.is_empty() {
        return Err(Refusal::WeakAlgorithm { algorithm: repeated(algorithm(method)) });
    }
    check_reference(reference, signed)
}

fn check_reference(reference: &Element, signed: &Element) -> Result<(), Refusal> {
    // Core §5.4.2: the identifier of the element that the signature stands in, and no other way to name it.
    let own = signed.attribute("ID").filter(|id| !id.is_empty()).map(|id| format!("#{id}"));
    if own.is_none() || reference.attribute("URI") != own.as_deref() {
        return Err(Refusal::ForeignReference);
    }
    let [transforms, method, value] = reference.children.as_slice() else {
        return Err(Refusal::SignatureShape("a Reference with Transforms, DigestMethod and DigestValue"));
    };
    check_part(transforms, "Transforms")?;
    check_part(method, "DigestMethod")?;
    check_part(value, "DigestValue")?;
    // Core §5.4.4.
    let [enveloped, exclusive] = transforms.children.as_slice() else {
        return Err(Refusal::ForbiddenTransform);
    };
    check_part(enveloped, "Transform").and(check_part(exclusive, "Transform"))?;
    let is_usual = algorithm(enveloped) == ENVELOPED
        && enveloped.children.is_empty()
        && algorithm(exclusive) == EXCLUSIVE
        && has_only_prefixes(exclusive);
    if !is_usual {
        return Err(Refusal::ForbiddenTransform);
    }
    if !DIGESTS.contains(&algorithm(method)) || !method.children.is_empty() {
        return Err(Refusal::WeakAlgorithm { algorithm: repeated(algorithm(method)) });
    }
    if value.text().is_none() {
        return Err(Refusal::SignatureShape("a DigestValue that is text"));
    }
    Ok(())
}

fn check_part(part: &Element, name: &'static str) -> Result<(), Refusal> {
    if part.is(Vocabulary::Signature, name) { Ok(()) } else { Err(Refusal::SignatureShape(name)) }
}

fn algorithm(method: &Element) -> &str {
    method.attribute("Algorithm").unwrap_or_default()
}

/// Exclusive canonicalization may be told prefixes to keep, once and few: the library goes through them for every
/// element, before anything is proved.
fn has_only_prefixes(method: &Element) -> bool {
    match method.children.as_slice() {
        [] => true,
        [prefixes] => {
            prefixes.is(Vocabulary::ExclusiveCanonicalization, "InclusiveNamespaces")
                && prefixes.children.is_empty()
                && are_few(prefixes.attribute("PrefixList").unwrap_or_default())
        }
        _ => false,
    }
}

fn are_few(prefixes: &str) -> bool {
    // Exclusive canonicalization §3: this one stands for the namespace without a prefix.
    let is_prefix = |prefix: &str| prefix == "#default" || is_plain_name(prefix);
    prefixes.len() <= MAX_KEPT_PREFIXES_BYTES
        && prefixes.split_ascii_whitespace().count() <= MAX_KEPT_PREFIXES
        && prefixes.split_ascii_whitespace().all(is_prefix)
}

/// The names of all children, if all are of that vocabulary.
fn names_within(element: &Element, vocabulary: Vocabulary) -> Option<Vec<&str>> {
    let all = element.children.iter();
    all.map(|child| (child.vocabulary == vocabulary).then_some(child.name.as_str())).collect()
}
