//! Who acts in a scenario.

pub mod browser;
pub mod bus;
pub mod collector;
pub mod entra;
pub mod follower;
pub mod load;
pub mod operator;
pub mod prometheus;
pub mod raw;
pub mod scim;
pub mod suites;
pub mod visitor;
