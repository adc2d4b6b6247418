//! Which dashboards there are.

mod access_removal;
mod bus;
mod console;
mod postgres;
mod provisioning;
mod service_health;
mod tokens;

use crate::Dashboard;

/// Every dashboard, in the order in which somebody who is called at night would open them.
pub(crate) fn all() -> Vec<Dashboard> {
    vec![
        service_health::board(),
        provisioning::board(),
        access_removal::board(),
        bus::board(),
        postgres::board(),
        tokens::board(),
        console::board(),
    ]
}
