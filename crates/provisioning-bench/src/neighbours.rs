//! Companies beside the measured one that hire without end while it disables somebody: how long does that wait?
//!
//! Companies share the partitions of the stream, and a partition is applied in order. What the gateway lets one company put
//! there is what the others wait for.

use std::fmt;

use anyhow::{Result, bail};
use bus_contract::partition::Partition;
use local_stack::{Stack, company::Company};
use typed_ids::CompanyId;

/// Callers of the company that hires.
pub(crate) const HIRING: usize = 256;
/// Companies that are made in search of one that shares a partition; of 16 partitions, each is missed by one in a million
/// times then.
const MOST: usize = 200;

/// Who hires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nobody,
    AnotherPartition,
    SamePartition,
    /// The company itself.
    Itself,
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "alone",
            Self::AnotherPartition => "beside 256 POST",
            Self::SamePartition => "behind 256 POST",
            Self::Itself => "behind 256 POST of its own",
        })
    }
}

/// Companies that are neighbours of the measured one.
#[derive(Debug)]
pub(crate) struct Neighbours {
    pub(crate) near: Company,
    pub(crate) far: Company,
}

impl Neighbours {
    /// New companies, one in the company's partition and one in another.
    ///
    /// # Errors
    /// What the stack reports, or that none was found.
    pub(crate) fn of(company: &Company, stack: &Stack) -> Result<Self> {
        let here = partition(company)?;
        let (mut near, mut far) = (None, None);
        for number in 0..MOST {
            let one = stack.new_company(&format!("Neighbour {number}"))?;
            let place = if partition(&one)? == here { &mut near } else { &mut far };
            place.get_or_insert(one);
            if let (Some(near), Some(far)) = (&near, &far) {
                return Ok(Self { near: near.clone(), far: far.clone() });
            }
        }
        bail!("of {MOST} companies none shares a partition with the measured one");
    }
}

fn partition(company: &Company) -> Result<u16> {
    Ok(Partition::of(company.id.parse::<CompanyId>()?).number())
}
