//! How often a password may be tried: for one account, from one address, and for one account from one address, with
//! growing waits. And from where somebody signs in at an identity provider: to begin is no guess at a secret, so what is
//! begun is not counted here; `single_sign_on/room.rs` says how many may wait at once.
//!
//! Whoever knows an e-mail address can use up what strangers may try of its account. Its owner, who has signed in from the
//! same network before, does not wait for them.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::CompanyId;

use crate::{
    opaque,
    store::{
        attempts::{self, Slowing},
        networks,
    },
};

/// For one account from one network, whether it exists or not: 96 guesses a day at most in the long run.
const PAIR: Slowing = Slowing {
    free: 5,
    first_delay: TimeDelta::seconds(1),
    longest_delay: TimeDelta::minutes(15),
    forgotten_after: TimeDelta::hours(24),
};
/// For one account from all networks together from which nobody has signed in to it: as many in the long run.
const ACCOUNT: Slowing = Slowing {
    free: 20,
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

/// A network from which somebody has signed in is known for this long.
const KNOWN_FOR: TimeDelta = TimeDelta::days(30);

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
    /// The account and the network.
    pair: [u8; 32],
    /// `None` when the address is not known.
    address: Option<[u8; 32]>,
}

impl Counted {
    pub(crate) fn new(email_key: &str, address: &str) -> Self {
        let network = address.parse().ok().map(|address| network(address).to_string());
        let from = network.as_deref().unwrap_or("anywhere");
        Self {
            account: opaque::hash(format!("account {email_key}").as_bytes()),
            pair: opaque::hash(format!("pair {from} {email_key}").as_bytes()),
            address: network.map(|network| opaque::hash(format!("address {network}").as_bytes())),
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
        if let Err(retry_at) = attempts::take(connection, &self.pair, now, PAIR)? {
            return Ok(Err(retry_at));
        }
        if networks::is_known(connection, &self.pair, now - KNOWN_FOR)? {
            return Ok(Ok(()));
        }
        attempts::take(connection, &self.account, now, ACCOUNT)
    }

    /// The password was right.
    pub(crate) fn succeeded(&self, connection: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<()> {
        if let Some(address) = &self.address {
            // Only this attempt: whoever has one account must not try others for ever by signing in to theirs between.
            attempts::give_back(connection, address, now)?;
        }
        attempts::forget(connection, &self.pair)?;
        if !networks::is_known(connection, &self.pair, now - KNOWN_FOR)? {
            // Only this attempt here too: what strangers have tried, they have tried.
            attempts::give_back(connection, &self.account, now)?;
        }
        networks::forget_old(connection, now - KNOWN_FOR)?;
        networks::remember(connection, &self.pair, now)
    }
}

/// Where sign-ins at identity providers are begun.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Empty when the address is not known.
    name: String,
}

impl Network {
    pub(crate) fn of(address: &str) -> Self {
        let name = address.parse().ok().map(|address| network(address).to_string());
        Self { name: name.unwrap_or_default() }
    }

    /// As requests that wait are counted under.
    pub(crate) fn key(&self) -> String {
        opaque::hex_hash(&format!("requests {}", self.name))
    }

    /// Somebody has signed in to the company from there.
    pub(crate) fn succeeded(
        &self,
        connection: &mut PgConnection,
        company: CompanyId,
        now: DateTime<Utc>,
    ) -> QueryResult<()> {
        networks::forget_old(connection, now - KNOWN_FOR)?;
        networks::remember(connection, &self.at(company), now)
    }

    /// Whether somebody has signed in to the company from there lately.
    pub(crate) fn is_known(
        &self,
        connection: &mut PgConnection,
        company: CompanyId,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        networks::is_known(connection, &self.at(company), now - KNOWN_FOR)
    }

    fn at(&self, company: CompanyId) -> [u8; 32] {
        opaque::hash(format!("company {company} {}", self.name).as_bytes())
    }
}
