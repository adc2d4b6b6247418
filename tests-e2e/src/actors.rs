//! Who acts in a scenario.

pub mod browser;
pub mod entra;
pub mod load;
pub mod operator;
pub mod prometheus;
pub mod raw;
pub mod scim;
pub mod suites;
pub mod visitor;
