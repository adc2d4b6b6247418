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
/// The longest name of a person, of its format and of a session, in bytes. Those of Entra have some 50.
pub const MAX_NAME_BYTES: usize = 1_024;
/// Claims of one assertion, by their names.
pub(crate) const MAX_CLAIMS: usize = 200;
/// Values of all claims together. Entra names 150 groups at most.
pub(crate) const MAX_CLAIM_VALUES: usize = 2_000;
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
