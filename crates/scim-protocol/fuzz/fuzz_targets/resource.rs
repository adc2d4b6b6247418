//! A body that is read is canonical: read again it is the same, and both renderings agree.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use scim_protocol::resource::{DirectGroup, Manager, Rendering, parse, render, render_bytes};
use scim_protocol::schema::users;
use serde_json::{Map, Value};

fuzz_target!(|body: &[u8]| {
    let Ok(attributes) = parse(users(), body) else { return };
    let Ok(stored) = serde_json::to_string(&attributes) else { return };
    assert_eq!(parse(users(), stored.as_bytes()), Ok(attributes.clone()), "{stored}");
    for manager in [None, Some(Manager { user_id: "usr_M", display_name: "M" })] {
        let rendering = Rendering {
            id: "usr_A",
            base_url: "https://scim.example",
            version: 1,
            created: DateTime::UNIX_EPOCH,
            last_modified: DateTime::UNIX_EPOCH,
            manager,
            groups: &[DirectGroup { id: "grp_1", display: Some("G") }],
            ..Rendering::default()
        };
        let rendered = render(users(), &attributes, &rendering);
        let Ok(bytes) = render_bytes(users(), &stored, &rendering) else { panic!("{stored}") };
        let reread: Map<String, Value> = serde_json::from_slice(&bytes).unwrap_or_default();
        assert_eq!(reread, rendered, "{stored}");
        // What was answered can be sent back.
        assert_eq!(parse(users(), &bytes), Ok(attributes.clone()), "{stored}");
    }
});
