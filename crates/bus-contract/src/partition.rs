//! Which partition a company belongs to: the unit that one directory instance consumes at a time.

use std::fmt;

use typed_ids::CompanyId;

/// How many partitions there are.
///
/// Fixed for ever: changing it would move companies between partitions while requests of theirs are queued, and their
/// order would be lost. Sixteen is more instances of the directory than a Postgres primary can feed.
pub const COUNT: u16 = 16;

/// A partition, `0..COUNT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u16);

impl Partition {
    /// The partition with this number, if there is one.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        (number < COUNT).then_some(Self(number))
    }

    /// The partition that applies this company's requests.
    ///
    /// A UUIDv7 ends in random bits, so its last bytes are spread evenly without hashing, and the rule can be repeated
    /// by hand: the last two bytes, big-endian, modulo [`COUNT`].
    #[must_use]
    pub fn of(company: CompanyId) -> Self {
        let bytes = company.as_uuid().into_bytes();
        Self(u16::from_be_bytes([bytes[14], bytes[15]]) % COUNT)
    }

    /// Every partition, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COUNT).map(Self)
    }

    /// Its number, `0..COUNT`.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
