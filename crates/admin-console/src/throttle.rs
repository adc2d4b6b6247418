//! How often a password may be tried: for one account, and from one address, with growing waits.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};

use crate::{
    opaque,
    store::attempts::{self, Slowing},
};

/// For one account, whether it exists or not: 96 guesses a day at most in the long run.
const ACCOUNT: Slowing = Slowing {
    free: 5,
    first_delay: TimeDelta::seconds(1),
    longest_delay: TimeDelta::minutes(15),
    forgotten_after: TimeDelta::hours(24),
};
/// From one address, behind which there may be a whole office.
const ADDRESS: Slowing = Slowing {
    free: 20,
    first_delay: TimeDelta::seconds(1),
    longest_delay: TimeDelta::minutes(15),
    forgotten_after: TimeDelta::hours(1),
};

/// Whoever has one IPv6 address has the other 2^64 of its network as well.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// What an attempt is counted under.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    account: [u8; 32],
    /// `None` when the address is not known.
    address: Option<[u8; 32]>,
}

impl Counted {
    pub(crate) fn new(email_key: &str, address: &str) -> Self {
        Self {
            account: opaque::hash(format!("account {email_key}").as_bytes()),
            address: address
                .parse()
                .ok()
                .map(|address| opaque::hash(format!("address {}", network(address)).as_bytes())),
        }
    }

    /// Counts an attempt; `Err` says until when there may be none.
    pub(crate) fn take(
        &self,
        connection: &mut PgConnection,
        now: DateTime<Utc>,
    ) -> QueryResult<Result<(), DateTime<Utc>>> {
        attempts::forget_old(connection, now - ACCOUNT.forgotten_after)?;
        if let Some(address) = &self.address
            && let Err(retry_at) = attempts::take(connection, address, now, ADDRESS)?
        {
            return Ok(Err(retry_at));
        }
        attempts::take(connection, &self.account, now, ACCOUNT)
    }

    /// The password was right.
    pub(crate) fn succeeded(&self, connection: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<()> {
        if let Some(address) = &self.address {
            // Only this attempt: whoever has one account must not try others for ever by signing in to theirs between.
            attempts::give_back(connection, address, now)?;
        }
        attempts::forget(connection, &self.account)
    }
}
