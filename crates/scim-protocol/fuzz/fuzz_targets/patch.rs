//! A PATCH that is read survives the bus, and what it makes of a user is a valid user, the same the second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_protocol::patch::{Operation, apply, parse, sets_active};
use scim_protocol::resource::changed;
use scim_protocol::schema::users;
use serde_json::json;

fuzz_target!(|body: &[u8]| {
    let Ok(operations) = parse(users(), body) else { return };
    for operation in &operations {
        let path = operation.path.to_string();
        let value = operation.value_json();
        let again = Operation::from_parts(users(), operation.op, &path, value.as_deref());
        assert_eq!(again.as_ref(), Ok(operation), "{path}");
    }
    let before = json!({
        "userName": "adele", "active": true, "name": {"givenName": "Adele"},
        "emails": [{"type": "work", "value": "a@b.example", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "usr_M"}},
    });
    let Some(before) = before.as_object() else { return };
    let Ok(patched) = apply(users(), before, &operations) else { return };
    assert_eq!(patched.changed, changed(before, &patched.attributes));
    if let Some(active) = sets_active(&operations) {
        assert_eq!(patched.attributes.get("active"), Some(&active.into()));
    }
    // What a PATCH leaves is canonical: a body with just that is read as just that.
    let stored = serde_json::to_vec(&patched.attributes).unwrap_or_default();
    assert_eq!(scim_protocol::resource::parse(users(), &stored), Ok(patched.attributes));
});
