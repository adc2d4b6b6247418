//! How many sign-ins may wait at a company's identity provider at once. To begin one is no guess at a secret, so nobody waits
//! for having begun many: what nobody comes back from is good no more after a while.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::CompanyId;

use super::federation::Purpose;
use crate::{
    store::sign_in_requests::{self, Room},
    throttle::Network,
};

/// Of one company and purpose, this many wait at once.
const REQUESTS_MOST: i64 = 20_000;
/// So many of them from networks from which nobody has signed in lately: the rest is kept for those from which people do.
const REQUESTS_OF_STRANGERS_MOST: i64 = 10_000;
/// So many of them from one network from which people sign in: a whole office may come at once, and cannot keep others out.
const REQUESTS_OF_NETWORK_MOST: i64 = 10_000;
/// So many of them from one from which nobody has.
const REQUESTS_OF_STRANGE_NETWORK_MOST: i64 = 1_000;

/// Whether one more sign-in of the company may be asked for from there; `Err` says when there may be room again. Within a
/// transaction that acts for the company.
pub(crate) fn is_left(
    connection: &mut PgConnection,
    company: CompanyId,
    (purpose, network): (Purpose, &Network),
    now: DateTime<Utc>,
) -> QueryResult<Result<(), DateTime<Utc>>> {
    let room = if network.is_known(connection, company, now)? {
        Room { of_company: REQUESTS_MOST, of_network: REQUESTS_OF_NETWORK_MOST }
    } else {
        Room { of_company: REQUESTS_OF_STRANGERS_MOST, of_network: REQUESTS_OF_STRANGE_NETWORK_MOST }
    };
    sign_in_requests::has_room(connection, company, (purpose.as_str(), &network.key()), now, room)
}
