//! What Entra asks of a company's directory and how that goes: the stream of calls, counted and logged.
//!
//! One instance at a time reads it (`reader`), understands each call (`call`), counts it (`count`, a pure function) and
//! writes the log line of what the directory itself did not decide (`line`), all in one transaction with the stream's
//! watermark. What is slow or rare is done beside it (`upkeep`). The questions about it are answered by any instance
//! (`answer`). Operators see it in metrics (`metrics`), also of the companies that called last (`places`).

pub(crate) mod answer;
mod apply;
pub(crate) mod call;
pub(crate) mod count;
pub(crate) mod line;
pub(crate) mod metrics;
mod places;
pub(crate) mod reader;
mod upkeep;
