#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod audit;
pub mod call;
pub mod headers;
pub mod partition;
pub mod stream;
pub mod subject;

/// Generated from `proto/` by the test `generated_code_is_current`; see this crate's README.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes,
    clippy::doc_markdown,
    clippy::too_long_first_doc_paragraph,
    reason = "generated code follows the generator's style; its documentation is the comments in proto/"
)]
mod generated {
    pub mod audit {
        pub mod v1 {
            include!("gen/timeclock.audit.v1.rs");
        }
    }
    pub mod console {
        pub mod v1 {
            include!("gen/timeclock.console.v1.rs");
        }
    }
    pub mod provisioning {
        pub mod v1 {
            include!("gen/timeclock.provisioning.v1.rs");
        }
    }
    pub mod directory {
        pub mod v1 {
            include!("gen/timeclock.directory.v1.rs");
        }
    }
    pub mod token {
        pub mod v1 {
            include!("gen/timeclock.token.v1.rs");
        }
    }
}
pub use generated::{
    console::v1 as console, directory::v1 as directory, provisioning::v1 as provisioning, token::v1 as token,
};

pub use prost::Message;
pub use prost_types::Timestamp;
