//! Starts the process; everything else is in the library.

use std::{net::SocketAddr, process::ExitCode};

use service_runtime::Service;

fn main() -> ExitCode {
    Service::new(
        "scim-gateway",
        "SCIM over HTTP in, requests to the bus out",
        SocketAddr::from(([127, 0, 0, 1], 9080)),
    )
    .serve(scim_gateway::Settings::read, scim_gateway::start)
    .run()
}
