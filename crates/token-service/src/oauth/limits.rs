//! How often may somebody ask for a token? A bucket for each address, and one for each client that has proven itself.
//!
//! The address pays before anything is looked up, so guessing is slow. The client pays only when it has proven itself:
//! whoever merely knows its id cannot use up what it may ask for.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use service_runtime::{
    clock::Clock,
    rate::{Allowance, Buckets},
};
use typed_ids::CredentialId;

use super::Refusal;

/// Requests of one address: so many at once, and as many more per minute. Entra calls for many customers from few
/// addresses, each of them once an hour and again when it tests the connection.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(600).unwrap();
/// Tokens of one client: so many at once, and as many more per minute. One that keeps its token needs one an hour.
const PER_CLIENT: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Access tokens that one client ends: so many at once, and as many more per minute. Each is kept, and told to every
/// gateway, until it would have expired.
const ENDS_PER_CLIENT: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// Buckets of each kind that are kept apart; those who come later share one.
const BUCKETS_MOST: usize = 10_000;

/// The buckets. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Limits(Arc<Inner>);

struct Inner {
    /// Those whose address is unknown share one.
    addresses: Buckets<Option<IpAddr>>,
    clients: Buckets<CredentialId>,
    ends: Buckets<CredentialId>,
}

impl Limits {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self(Arc::new(Inner {
            addresses: Buckets::new(Allowance::per_minute(PER_ADDRESS), BUCKETS_MOST, clock),
            clients: Buckets::new(Allowance::per_minute(PER_CLIENT), BUCKETS_MOST, clock),
            ends: Buckets::new(Allowance::per_minute(ENDS_PER_CLIENT), BUCKETS_MOST, clock),
        }))
    }

    /// One request more of this address.
    pub(crate) fn check_address(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        self.0.addresses.take(&address.map(network)).map_err(Refusal::limited)
    }

    /// One token more for this client, which has proven itself.
    pub(crate) fn check_client(&self, client: CredentialId) -> Result<(), Refusal> {
        self.0.clients.take(&client).map_err(Refusal::limited)
    }

    /// One token less for this client.
    pub(crate) fn check_end(&self, client: CredentialId) -> Result<(), Refusal> {
        self.0.ends.take(&client).map_err(Refusal::limited)
    }

    /// Lets go of buckets that are full again: they are as good as new ones.
    pub(crate) fn forget_the_idle(&self) {
        self.0.addresses.forget_the_full();
        self.0.clients.forget_the_full();
        self.0.ends.forget_the_full();
    }
}

/// What one host can call from at will: an IPv4 address, or a /64 of IPv6 (RFC 7934 §6).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> (Clock, Limits) {
        let clock = Clock::manual(1_000);
        let limits = Limits::new(&clock);
        (clock, limits)
    }

    #[test]
    fn who_asks_too_often_is_told_when_to_come_back_and_then_let_in() {
        let (clock, limits) = limits();
        let client = CredentialId::mint();
        for _ in 0..PER_CLIENT.get() {
            limits.check_client(client).unwrap();
        }
        let refusal = limits.check_client(client).unwrap_err();
        assert_eq!((refusal.status, refusal.label()), (429, "limited"));
        limits.check_client(CredentialId::mint()).unwrap();
        clock.advance(refusal.retry_after.unwrap());
        limits.check_client(client).unwrap();
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let (_, limits) = limits();
        for last in 0..PER_ADDRESS.get() {
            limits.check_address(Some(format!("2001:db8::{last:x}").parse().unwrap())).unwrap();
        }
        assert!(limits.check_address(Some("2001:db8::ffff".parse().unwrap())).is_err());
        limits.check_address(Some("2001:db8:0:1::1".parse().unwrap())).unwrap();
    }
}
