//! How much a message may hold. Everything outside these is refused before any signature is looked at.

use chrono::TimeDelta;

/// The longest response, in bytes of XML. Those of Entra have some 6,000, with 150 groups some 20,000.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// The longest federation metadata, in bytes. Those of Entra have some 60,000.
pub(crate) const MAX_METADATA_BYTES: usize = 512 * 1024;
/// The deepest nesting of elements.
pub(crate) const MAX_DEPTH: usize = 32;
/// Elements of one document.
pub(crate) const MAX_ELEMENTS: usize = 5_000;
/// XML attributes of one element, and namespaces in scope at once.
pub(crate) const MAX_XML_ATTRIBUTES: usize = 64;
/// The longest value of an XML attribute, in bytes as it arrived.
pub(crate) const MAX_XML_ATTRIBUTE_BYTES: usize = 16 * 1024;
/// The longest name of a namespace, in bytes as it arrived: canonicalization repeats it for every element that uses it.
pub(crate) const MAX_NAMESPACE_BYTES: usize = 256;
/// Prefixes that a signature may want kept: canonicalization looks each of them up for every element.
pub(crate) const MAX_KEPT_PREFIXES: usize = 16;
/// Those prefixes together, in bytes.
pub(crate) const MAX_KEPT_PREFIXES_BYTES: usize = 256;
/// Claims of one assertion, by their names.
pub(crate) const MAX_CLAIMS: usize = 200;
/// Values of all claims together. Entra names 150 groups at most.
pub(crate) const MAX_CLAIM_VALUES: usize = 2_000;
/// The longest name, in bytes: a `NameID`, its format, an identifier, an issuer, a `SessionIndex`, a claim's name.
pub(crate) const MAX_NAME_BYTES: usize = 1024;
/// The longest value of a claim, in bytes.
pub(crate) const MAX_CLAIM_BYTES: usize = 4 * 1024;
/// The longest text of a message that a refusal repeats, in characters.
pub(crate) const MAX_REPEATED: usize = 200;
/// Signing certificates of one identity provider. Entra publishes two while they are rolled over, and some more for a
/// whole tenant.
pub const MAX_CERTIFICATES: usize = 8;
/// The longest `RelayState`, in bytes (SAML bindings §3.4.3).
pub const MAX_RELAY_STATE_BYTES: usize = 80;
/// How far the identity provider's clock may be from ours.
pub(crate) const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);
/// How long a response may be under way, from its `IssueInstant`. The browser hands it on by itself.
pub(crate) const MAX_AGE: TimeDelta = TimeDelta::minutes(10);
